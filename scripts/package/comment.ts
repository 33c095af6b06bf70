/** One comment on a pull request, written anew at every run. */
import { z } from 'zod'

export interface Pull {
  api: string
  repository: string
  number: number
  token: string
}

const MARK = '<!-- identity-what-if -->'
const Comments = z.array(
  z.object({
    id: z.number(),
    body: z.string().nullish(),
    user: z.object({ login: z.string() }).nullable(),
  }),
)

const request = ({ api, token }: Pull, path: string, method = 'GET', body?: unknown) =>
  fetch(`${api}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })

/** Anybody may write the mark into a comment; only our own is overwritten. */
async function findOwn(pull: Pull): Promise<number | undefined> {
  for (let page = 1; ; page++) {
    const path = `repos/${pull.repository}/issues/${pull.number}/comments?per_page=100&page=${page}`
    const answer = await request(pull, path)
    if (!answer.ok) return undefined
    const comments = Comments.parse(await answer.json())
    const own = comments.find(
      ({ body, user }) => user?.login === 'github-actions[bot]' && body?.startsWith(MARK),
    )
    if (own || comments.length < 100) return own?.id
  }
}

/** What has been done, in words; a job that may not comment is not at fault: the summary says the same. */
export async function saveComment(pull: Pull, body: string): Promise<string> {
  const issues = `repos/${pull.repository}/issues`
  const own = await findOwn(pull)
  const answer = own
    ? await request(pull, `${issues}/comments/${own}`, 'PATCH', { body })
    : await request(pull, `${issues}/${pull.number}/comments`, 'POST', { body })
  if (answer.ok) return own ? 'Comment renewed.' : 'Comment written.'
  return `No comment: GitHub answered ${answer.status}. The job needs "pull-requests: write".`
}
