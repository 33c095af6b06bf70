/**
 * When GitHub received the last push to a branch, and from whom. Everything in a commit is written by its author, the
 * order of a pull request's timeline follows those dates, and a run of a workflow may be another pull request's with
 * the same commit; the activity of a branch is GitHub's own record of what it was given, with GitHub's clock.
 * Source: https://docs.github.com/rest/repos/repos#list-repository-activities
 */
import { z } from 'zod'
import { read } from './github.ts'

const Activities = z.array(
  z.object({
    ref: z.string(),
    after: z.string(),
    timestamp: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    actor: z.object({ id: z.number() }).nullish(),
  }),
)

export interface Push {
  /** Milliseconds. */
  at: number
  /** GitHub's id of the person; undefined where the account is gone. */
  by: number | undefined
}

/** undefined: the branch is not at `head`, or GitHub's record does not show yet how it came there. */
export async function pushOf(repository: string, branch: string, head: string): Promise<Push | undefined> {
  const ref = `refs/heads/${branch}`
  const query = `ref=${encodeURIComponent(ref)}&direction=desc&per_page=100`
  const activities = await read(`repos/${repository}/activity?${query}`, Activities)
  const last = activities
    .filter((activity) => activity.ref === ref)
    .toSorted((a, b) => b.timestamp - a.timestamp)[0]
  if (last?.after !== head) return undefined
  return { at: last.timestamp, by: last.actor?.id }
}
