/** The little of GitHub that the action needs: the job's pull request, and its REST API, https://docs.github.com/rest. */
import { readFile } from 'node:fs/promises'
import ky, { HTTPError } from 'ky'
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'

// https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request; a fork that is gone is null.
const Repository = z.object({ full_name: z.string().regex(/^[\w.-]+\/[\w.-]+$/) })
const Commit = z.string().regex(/^[0-9a-f]{40,64}$/)
const Event = z.object({
  pull_request: z.object({
    number: z.number().int().positive(),
    head: z.object({ sha: Commit, repo: Repository.nullish() }),
    base: z.object({ sha: Commit, repo: Repository }),
  }),
})

export interface PullRequest {
  number: number
  /** Where it goes to, `owner/name`. */
  repository: string
  head: string
  /** Commit of the branch that it goes to. */
  base: string
  isFork: boolean
}

/** undefined: the job runs for something else. Throws a Problem where a pull request would have the rights of main. */
export async function pullRequestOf(
  name: string,
  file: string | undefined,
): Promise<PullRequest | undefined> {
  if (name === 'pull_request_target')
    throw new Problem({
      what: 'pull_request_target gives what a pull request brings the rights of the branch that it goes to.',
      why: 'A template from a fork would be read beside tokens that were never meant for it.',
      fix: 'on: pull_request    (the README of the package says what a fork can see)',
    })
  if (name !== 'pull_request' || !file) return undefined
  const { number, head, base } = Event.parse(JSON.parse(await readFile(file, 'utf8'))).pull_request
  return {
    ...{ number, repository: base.repo.full_name, head: head.sha, base: base.sha },
    isFork: head.repo?.full_name !== base.repo.full_name,
  }
}

export interface GitHub {
  /** Like `https://api.github.com`. */
  api: string
  token: string
}

const PAGE = 100
const Comments = z.array(
  z.object({
    id: z.number(),
    body: z.string().nullish(),
    user: z.object({ login: z.string() }).nullish(),
  }),
)

const restOf = ({ api, token }: GitHub) =>
  ky.create({
    prefix: api,
    // A token goes nowhere else.
    redirect: 'error',
    timeout: 30_000,
    retry: 0,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'identity-what-if',
    },
  })

/** The id of our comment. */
async function findOwn(github: GitHub, { repository, number }: PullRequest, mark: string, author: string) {
  for (let page = 1; ; page++) {
    const path = `repos/${repository}/issues/${number}/comments?per_page=${PAGE}&page=${page}`
    const comments = Comments.parse(await restOf(github).get(path).json())
    // Anybody may write the mark into a comment of theirs.
    const own = comments.find(({ body, user }) => user?.login === author && body?.startsWith(mark))
    if (own || comments.length < PAGE) return own?.id
  }
}

function refusalOf(error: unknown): string {
  if (!(error instanceof HTTPError)) return error instanceof Error ? error.message : String(error)
  const { status } = error.response
  return [401, 403, 404].includes(status)
    ? 'The job may not comment (permissions: pull-requests: write; a pull request from a fork never may).'
    : `GitHub answered ${status}.`
}

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
    const id = await findOwn(github, pull, mark, author)
    const json = { body: `${mark}\n${text}` }
    const issues = `repos/${pull.repository}/issues`
    if (id) await restOf(github).patch(`${issues}/comments/${id}`, { json })
    else await restOf(github).post(`${issues}/${pull.number}/comments`, { json })
    return { saved: true, said: id ? 'The comment is written anew.' : 'The comment is written.' }
  } catch (error) {
    return { saved: false, said: `No comment. ${refusalOf(error)}` }
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
  const answer = await restOf(github).get(`repos/${repository}/contents/${encoded}?ref=${commit}`, {
    headers: { accept: 'application/vnd.github.raw+json' },
    throwHttpErrors: false,
    // ky's own deadline ends with the headers.
    signal: AbortSignal.timeout(30_000),
  })
  return answer.ok ? answer.text() : undefined
}
