/** The little of GitHub's REST API that the action needs. https://docs.github.com/rest */
import { z } from 'zod'
import type { PullRequest } from './pull-request.ts'

export interface GitHub {
  /** Like `https://api.github.com`. */
  api: string
  token: string
}

const PAGE = 100
const SECONDS = 30
const Comments = z.array(
  z.object({
    id: z.number(),
    body: z.string().nullish(),
    user: z.object({ login: z.string() }).nullish(),
  }),
)

interface Request {
  method?: 'GET' | 'POST' | 'PATCH'
  body?: object
  accept?: string
}

const ask = ({ api, token }: GitHub, path: string, { method = 'GET', body, accept }: Request = {}) =>
  fetch(`${api}/${path}`, {
    method,
    // A token goes nowhere else.
    redirect: 'error',
    signal: AbortSignal.timeout(SECONDS * 1000),
    headers: {
      authorization: `Bearer ${token}`,
      accept: accept ?? 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'identity-what-if',
    },
    ...(body && { body: JSON.stringify(body) }),
  })

/** The id of our comment; a status where the comments cannot be read. */
async function findOwn(github: GitHub, pull: PullRequest, mark: string, author: string) {
  for (let page = 1; ; page++) {
    const path = `repos/${pull.repository}/issues/${pull.number}/comments?per_page=${PAGE}&page=${page}`
    const answer = await ask(github, path)
    if (!answer.ok) return { refused: answer.status }
    const comments = Comments.parse(await answer.json())
    // Anybody may write the mark into a comment of theirs.
    const own = comments.find(({ body, user }) => user?.login === author && body?.startsWith(mark))
    if (own || comments.length < PAGE) return { id: own?.id }
  }
}

const refusal = (status: number) =>
  [401, 403, 404].includes(status)
    ? 'The job may not comment (permissions: pull-requests: write; a pull request from a fork never may).'
    : `GitHub answered ${status}.`

/**
 * Writes the one comment that begins with `mark`, or writes it anew. Returns what was done, in words: the summary says
 * the same as the comment, so a job that may not comment is not at fault.
 */
export async function saveComment(
  github: GitHub,
  pull: PullRequest,
  { mark, author, text }: { mark: string; author: string; text: string },
): Promise<{ saved: boolean; said: string }> {
  try {
    const found = await findOwn(github, pull, mark, author)
    if (found.refused) return { saved: false, said: `No comment. ${refusal(found.refused)}` }
    const body = { body: `${mark}\n${text}` }
    const issues = `repos/${pull.repository}/issues`
    const answer = await (found.id
      ? ask(github, `${issues}/comments/${found.id}`, { method: 'PATCH', body })
      : ask(github, `${issues}/${pull.number}/comments`, { method: 'POST', body }))
    if (!answer.ok) return { saved: false, said: `No comment. ${refusal(answer.status)}` }
    return { saved: true, said: found.id ? 'The comment is written anew.' : 'The comment is written.' }
  } catch (error) {
    return { saved: false, said: `No comment. ${error instanceof Error ? error.message : error}` }
  }
}

/** A file as it is at a commit; undefined where it is not there, or GitHub does not give it. */
export async function readAt(
  github: GitHub,
  repository: string,
  path: string,
  commit: string,
): Promise<string | undefined> {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  const answer = await ask(github, `repos/${repository}/contents/${encoded}?ref=${commit}`, {
    accept: 'application/vnd.github.raw+json',
  })
  return answer.ok ? answer.text() : undefined
}
