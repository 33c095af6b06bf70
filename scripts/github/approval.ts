/** Whether a person who may write has approved exactly this state of a pull request. */
import { z } from 'zod'
import { find, list, read } from './github.ts'

export const LABEL = 'identity-approved'

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const Label = z.object({ name: z.string() })
const Event = z.object({
  event: z.string(),
  created_at: time,
  actor: z.object({ login: z.string(), type: z.string() }).nullish(),
  label: Label.nullish(),
})
const Commit = z.object({ commit: z.object({ committer: z.object({ date: time }) }) })
const Runs = z.object({
  workflow_runs: z.array(
    z.object({ created_at: time, pull_requests: z.array(z.object({ number: z.number() })) }),
  ),
})
const Permission = z.object({ permission: z.string() })

export interface PullRequest {
  repository: string
  number: number
  head: string
}
export type Approval = { approved: true; by: string } | { approved: false; why: string }

/**
 * Since when the pull request is as it is. The author writes the commit's date, so GitHub's own clock counts too:
 * the first run for this head, and the last push that replaced commits.
 */
async function headSince({ repository, number, head }: PullRequest, events: z.infer<typeof Event>[]) {
  const { commit } = await read(`repos/${repository}/commits/${head}`, Commit)
  const path = `repos/${repository}/actions/runs?event=pull_request&head_sha=${head}&per_page=100`
  const { workflow_runs: runs } = await read(path, Runs)
  const ours = runs.filter(({ pull_requests: pulls }) => pulls.some((pull) => pull.number === number))
  const pushes = events.filter(({ event }) => event === 'head_ref_force_pushed')
  return Math.max(
    commit.committer.date,
    ...(ours.length > 0 ? [Math.min(...ours.map((run) => run.created_at))] : []),
    ...pushes.map((push) => push.created_at),
  )
}

export async function approvalOf(pull: PullRequest): Promise<Approval> {
  const issue = `repos/${pull.repository}/issues/${pull.number}`
  const labels = await list(`${issue}/labels?per_page=100`, Label)
  if (!labels.some(({ name }) => name === LABEL))
    return { approved: false, why: `The label ${LABEL} is not set.` }
  const events = await list(`${issue}/events?per_page=100`, Event)
  const set = events
    .filter(({ event, label }) => event === 'labeled' && label?.name === LABEL)
    .toSorted((a, b) => b.created_at - a.created_at)[0]
  if (!set?.actor) return { approved: false, why: `Nobody can be found who set the label ${LABEL}.` }
  const { login, type } = set.actor
  if (type !== 'User') return { approved: false, why: `${login} set the label ${LABEL} and is not a person.` }
  const held = await find(
    `repos/${pull.repository}/collaborators/${encodeURIComponent(login)}/permission`,
    Permission,
  )
  if (!held || !['admin', 'write'].includes(held.permission))
    return { approved: false, why: `${login} set the label ${LABEL} and has no write access.` }
  if (set.created_at <= (await headSince(pull, events)))
    return {
      approved: false,
      why: `The label ${LABEL} is older than the last commit: read again, then set it anew.`,
    }
  return { approved: true, by: login }
}
