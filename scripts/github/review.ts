/** In a pull request: one comment with both previews; fails on high risk that nobody with write access approved. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Approval, approvalOf, LABEL } from './approval.ts'
import { findOwn, write } from './github.ts'
import { Preview } from './preview.ts'
import { runStep } from './step.ts'

const MARK = '<!-- what-if -->'
// GitHub takes 65,536 characters.
const LONGEST = 60_000

const bounded = (text: string) =>
  text.length <= LONGEST
    ? text
    : `${text.slice(0, LONGEST)}\n\n… cut here; the whole is in the log of the job.`

async function saveComment(repository: string, number: number, text: string): Promise<void> {
  const issues = `repos/${repository}/issues`
  const present = await findOwn(`${issues}/${number}/comments?per_page=100`, MARK)
  const body = `${MARK}\n${bounded(text)}`
  if (present) await write('PATCH', `${issues}/comments/${present}`, { body })
  else await write('POST', `${issues}/${number}/comments`, { body })
}

const verdict = ({ azure, identity }: Preview, approval: Approval | undefined): string => {
  if (identity.state === 'failed' || azure.failed)
    return '❌ A preview failed: this must not be merged unseen.'
  if (identity.blockers > 0)
    return `❌ The deployment would fail: ${identity.blockers} identity problem${identity.blockers === 1 ? '' : 's'}.`
  if (!approval) return '✅ No identity change of high risk.'
  const count = `${identity.high} identity change${identity.high === 1 ? '' : 's'} of high risk`
  return approval.approved
    ? `⚠️ ${count}, approved by ${approval.by}.`
    : `❌ ${count}. ${approval.why} Somebody with write access who has read them sets \`${LABEL}\`.`
}

const isPassed = ({ azure, identity }: Preview, approval: Approval | undefined): boolean =>
  identity.state !== 'failed' && !azure.failed && identity.blockers === 0 && approval?.approved !== false

await runStep(
  import.meta,
  {
    GITHUB_REPOSITORY: z.string(),
    PULL_REQUEST: z.coerce.number().int(),
    HEAD_SHA: z.string().regex(/^[0-9a-f]{40}$/),
    PREVIEW_FILE: z.string(),
  },
  async ({ GITHUB_REPOSITORY: repository, PULL_REQUEST: number, HEAD_SHA: head, PREVIEW_FILE }) => {
    const preview = Preview.parse(JSON.parse(await readFile(PREVIEW_FILE, 'utf8')))
    const { azure, identity } = preview
    const approval = identity.high > 0 ? await approvalOf({ repository, number, head }) : undefined
    const summary = verdict(preview, approval)
    const parts = ['## Identities', identity.markdown, '## Azure resources', azure.markdown]
    await saveComment(repository, number, [summary, ...parts, `<sub>${head}</sub>`].join('\n\n'))
    console.log(summary)
    if (!isPassed(preview, approval)) process.exitCode = 1
  },
)
