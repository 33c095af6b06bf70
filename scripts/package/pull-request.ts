/** The pull request that a job of GitHub Actions runs for, from the file with the event. */
import { readFile } from 'node:fs/promises'
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
