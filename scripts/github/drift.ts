/** Every night: one issue that says how the directory differs from what is declared; closed when it does not. */
import { z } from 'zod'
import { findOwn, write } from './github.ts'
import { identityPreview, REPORTS } from './identity-preview.ts'
import { runStep } from './step.ts'

const MARK = '<!-- identity-drift -->'
const TITLE = 'Identities differ from what is declared'

await runStep(
  import.meta,
  { GITHUB_REPOSITORY: z.string(), RUN_URL: z.url(), ...REPORTS },
  async ({ GITHUB_REPOSITORY: repository, RUN_URL, ...reports }) => {
    const { state, markdown } = await identityPreview(reports)
    if (state === 'failed') throw new Error(markdown)
    const issues = `repos/${repository}/issues`
    // The list is asked for, not searched: the search index is minutes behind.
    const open = await findOwn(`${issues}?state=open&per_page=100`, MARK)
    if (state === 'unchanged') {
      if (!open) return console.log('No difference.')
      const body = `No difference any more: ${RUN_URL}`
      await write('POST', `${issues}/${open}/comments`, { body })
      await write('PATCH', `${issues}/${open}`, { state: 'closed' })
      return console.log(`Closed issue ${open}.`)
    }
    const remedy =
      'Somebody changed the directory by hand, or a deployment is outstanding. Deploy `main` to undo it, or declare it.'
    const body = `${MARK}\n${remedy} Last compared: ${RUN_URL}\n\n${markdown.slice(0, 60_000)}`
    if (open) await write('PATCH', `${issues}/${open}`, { body })
    else await write('POST', issues, { title: TITLE, body })
    console.log(open ? `Updated issue ${open}.` : 'Opened an issue.')
  },
)
