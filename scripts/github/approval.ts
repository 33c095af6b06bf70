/** Whether a second person who may write has approved exactly this state of a pull request. */
import { z } from 'zod'
import { find, list, read } from './github.ts'

/** In milliseconds. */
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
// The id, not the name: names change hands.
const Actor = z.object({ id: z.number() })

// When GitHub received the last push to a branch, and from whom. Everything in a commit is written by its author, the
// order of a pull request's timeline follows those dates, and a run of a workflow may be another pull request's with
// the same commit; the activity of a branch is GitHub's own record of what it was given, with GitHub's clock. Source:
// https://docs.github.com/rest/repos/repos#list-repository-activities
const Push = z.object({
  ref: z.string(),
  after: z.string(),
  timestamp: time,
  /** null where the account is gone. */
  actor: Actor.nullish(),
})
type Push = z.infer<typeof Push>

/** undefined: the branch is not at `head`, or GitHub's record does not show yet how it came there. */
async function pushOf(repository: string, branch: string, head: string): Promise<Push | undefined> {
  const ref = `refs/heads/${branch}`
  const query = `ref=${encodeURIComponent(ref)}&direction=desc&per_page=100`
  const pushes = await read(`repos/${repository}/activity?${query}`, Push.array())
  const [last] = pushes.filter((push) => push.ref === ref).toSorted((a, b) => b.timestamp - a.timestamp)
  return last?.after === head ? last : undefined
}

export const LABEL = 'identity-approved'

const Label = z.object({ name: z.string() })
const Event = z.object({
  event: z.string(),
  created_at: time,
  actor: Actor.extend({ login: z.string(), type: z.string() }).nullish(),
  label: Label.nullish(),
  performed_via_github_app: z.object({ slug: z.string().nullish() }).nullish(),
})
type Event = z.infer<typeof Event>
type Person = NonNullable<Event['actor']>
const Pull = z.object({ user: Actor.nullable(), head: z.object({ ref: z.string() }) })
type Pull = z.infer<typeof Pull>
const Permission = z.object({ permission: z.string() })
// After these the pull request is another one, without a push of its own branch being the last thing that happened.
const RESETS = ['base_ref_changed', 'head_ref_force_pushed', 'head_ref_restored']

interface PullRequest {
  repository: string
  number: number
  head: string
}
export type Approval = { approved: true; by: string } | { approved: false; why: string }

/** Says why whoever set the label is nobody whose approval counts. */
async function refusalOf(repository: string, set: Event, person: Person, { user }: Pull, push: Push) {
  const { login } = person
  const who = `${login} set the label ${LABEL} and`
  if (person.type !== 'User') return `${who} is not a person.`
  if (set.performed_via_github_app) return `A program set the label ${LABEL} in the name of ${login}.`
  if (person.id === user?.id) return `${who} opened the pull request.`
  if (person.id === push.actor?.id) return `${who} pushed its last commit.`
  const path = `repos/${repository}/collaborators/${encodeURIComponent(login)}/permission`
  const held = await find(path, Permission)
  return held && ['admin', 'write'].includes(held.permission) ? undefined : `${who} has no write access.`
}

/** The last time the label was set: setting it anew is a new approval, and somebody else's may replace it. */
const lastSet = (events: Event[]) =>
  events
    .filter(({ event, label }) => event === 'labeled' && label?.name === LABEL)
    // Stable: within one second the order of GitHub's list stays.
    .toSorted((a, b) => a.created_at - b.created_at)
    .at(-1)

export async function approvalOf({ repository, number, head }: PullRequest): Promise<Approval> {
  const refused = (why: string): Approval => ({ approved: false, why })
  const issue = `repos/${repository}/issues/${number}`
  const labels = await list(`${issue}/labels?per_page=100`, Label)
  if (!labels.some(({ name }) => name === LABEL)) return refused(`The label ${LABEL} is not set.`)
  const events = await list(`${issue}/events?per_page=100`, Event)
  const set = lastSet(events)
  if (!set?.actor) return refused(`Nobody can be found who set the label ${LABEL}.`)
  const pull = await read(`repos/${repository}/pulls/${number}`, Pull)
  const push = await pushOf(repository, pull.head.ref, head)
  if (!push) return refused('GitHub does not say when the last commit was pushed: run the check again.')
  const refusal = await refusalOf(repository, set, set.actor, pull, push)
  if (refusal) return refused(refusal)
  const resets = events.filter(({ event }) => RESETS.includes(event))
  if (set.created_at <= Math.max(push.timestamp, ...resets.map((reset) => reset.created_at)))
    return refused(`The label ${LABEL} is older than the last commit: read again, then set it anew.`)
  return { approved: true, by: set.actor.login }
}
