/** One comment on a pull request, written anew each time: a history of previews would hide the last one. */
import { z } from 'zod'
import { list, write } from './github.ts'

const MARK = '<!-- what-if -->'
// GitHub takes 65,536 characters.
const LONGEST = 60_000
const Comment = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullable(),
})

/** Anybody may write the mark into a comment; only our own is overwritten. */
const isOurs = ({ body, user }: z.infer<typeof Comment>) =>
  user?.login === 'github-actions[bot]' && Boolean(body?.startsWith(MARK))

const bounded = (text: string) =>
  text.length <= LONGEST
    ? text
    : `${text.slice(0, LONGEST)}\n\n… cut here; the whole is in the log of the job.`

export async function saveComment(repository: string, number: number, text: string): Promise<void> {
  const issue = `repos/${repository}/issues/${number}/comments?per_page=100`
  const present = (await list(issue, Comment)).find(isOurs)
  const body = `${MARK}\n${bounded(text)}`
  if (present) await write('PATCH', `repos/${repository}/issues/comments/${present.id}`, { body })
  else await write('POST', `repos/${repository}/issues/${number}/comments`, { body })
}
