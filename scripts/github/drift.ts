/** Every night: one issue that says how the directory differs from what is declared; closed when it does not. */
import { z } from 'zod'
import { list, write } from './github.ts'
import { identityPreview, REPORTS } from './identity-preview.ts'
import { runStep } from './step.ts'

const MARK = '<!-- identity-drift -->'
const TITLE = 'Identities differ from what is declared'
const Issue = z.object({
  number: z.number(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullable(),
  pull_request: z.unknown().optional(),
})

/** Anybody may open an issue with the mark; only our own is overwritten or closed. */
const isOurs = ({ body, user, pull_request: pull }: z.infer<typeof Issue>) =>
  user?.login === 'github-actions[bot]' && !pull && Boolean(body?.startsWith(MARK))

await runStep(
  import.meta,
  { GITHUB_REPOSITORY: z.string(), RUN_URL: z.url(), ...REPORTS },
  async ({ GITHUB_REPOSITORY: repository, RUN_URL, ...reports }) => {
    const { state, markdown } = await identityPreview(reports)
    if (state === 'failed') throw new Error(markdown)
    const issues = `repos/${repository}/issues`
    // The list is asked for, not searched: the search index is minutes behind.
    const open = (await list(`${issues}?state=open&per_page=100`, Issue)).find(isOurs)
    if (state === 'unchanged') {
      if (open)
        await write('POST', `${issues}/${open.number}/comments`, {
          body: `No difference any more: ${RUN_URL}`,
        })
      if (open) await write('PATCH', `${issues}/${open.number}`, { state: 'closed' })
      return console.log(open ? `Closed issue ${open.number}.` : 'No difference.')
    }
    const remedy =
      'Somebody changed the directory by hand, or a deployment is outstanding. Deploy `main` to undo it, or declare it.'
    const body = `${MARK}\n${remedy} Last compared: ${RUN_URL}\n\n${markdown.slice(0, 60_000)}`
    if (open) await write('PATCH', `${issues}/${open.number}`, { body })
    else await write('POST', issues, { title: TITLE, body })
    console.log(open ? `Updated issue ${open.number}.` : 'Opened an issue.')
  },
)
