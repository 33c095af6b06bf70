import { z } from 'zod'
import { FURTHER_PROOF } from '../auth/challenge.ts'
import { StepUpRequired } from '../auth/downstream.ts'
import type { Cost } from '../costs/answer.ts'
import {
  CostsBroken,
  CostsForbidden,
  CostsNotAnswered,
  CostsUnavailable,
  type NoCosts,
  SERVICE,
} from '../costs/cost-failure.ts'
import type { Asking, Question } from '../costs/cost-management.ts'
import { faultOf, MAX_MONTHS } from '../costs/period.ts'
import { ToolRefusal } from './refusal.ts'
import type { ToolContext } from './tool.ts'

const day = z.iso.date('must be a calendar day, YYYY-MM-DD')

/** What every question about costs names. */
export const costArguments = {
  subscription: z
    .guid('must be the id of a subscription, a GUID')
    .toLowerCase()
    .describe('Id of the Azure subscription, a GUID'),
  from: day.describe('First day, YYYY-MM-DD'),
  to: day.describe(`Last day, YYYY-MM-DD, not in the future; ${MAX_MONTHS} months at most`),
}

/** For `superRefine`: says what is wrong with the period. */
export function checkPeriod(period: { from: string; to: string }, issues: z.RefinementCtx): void {
  const message = faultOf(period)
  if (message) issues.addIssue({ code: 'custom', path: [message.startsWith('to ') ? 'to' : 'from'], message })
}

/** Costs as the caller may read them. Throws what CostManagement throws. */
export const askForCosts = (
  question: Question,
  { costs, tokenFor, gone, user }: ToolContext,
  asking: Pick<Asking, 'deadlineMs' | 'onPage'> = {},
): Promise<Cost[]> => costs.costs(question, { ...asking, user, gone, token: tokenFor('arm') })

/** Does what a tool does, and says in words for the caller what keeps it from it; other errors are faults of ours. */
export async function inWordsOf<T>({ user }: ToolContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refusalOf(error, user) ?? error
  }
}

/** What a failure means to the caller; undefined: a fault of ours, which its message does not tell. */
function refusalOf(error: unknown, user: string): ToolRefusal | undefined {
  if (error instanceof CostsForbidden)
    return new ToolRefusal(
      `Your account (object id ${user}) may not read the costs of subscription ${error.subscription}: it lacks the role Cost Management Reader there. Whoever manages the access to that subscription can assign it: az role assignment create --assignee ${user} --role "Cost Management Reader" --scope /subscriptions/${error.subscription}`,
      { outcome: 'refused', decision: ['deny:rbac', 'downstream_forbidden'] },
    )
  if (error instanceof StepUpRequired)
    return new ToolRefusal(FURTHER_PROOF, {
      ...{ outcome: 'refused', decision: ['deny:claims', 'insufficient_claims'] },
    })
  if (error instanceof CostsUnavailable) return unavailable(error)
  if (error instanceof CostsNotAnswered) {
    const cause = error.reason === 'not_supported' ? error : undefined
    return new ToolRefusal(NO_COSTS[error.reason], {
      ...{ outcome: 'refused', decision: ['accept', error.reason], cause },
    })
  }
  if (error instanceof CostsBroken && (error.status ?? 200) === 200)
    return new ToolRefusal(`${SERVICE} gave an answer that cannot be read. Try again later.`, {
      ...{ outcome: 'failed', decision: ['accept', 'downstream_unreadable'], cause: error },
    })
  return undefined
}

function unavailable({ throttled, retryAfterSeconds, cause }: CostsUnavailable): ToolRefusal {
  const words = throttled
    ? `${SERVICE} is asked too often, by you or by others: it counts your questions and those of your whole organisation.`
    : `${SERVICE} is not available.`
  return new ToolRefusal(`${words} Try again in ${retryAfterSeconds} seconds, not earlier.`, {
    outcome: 'failed',
    decision: ['accept', throttled ? 'downstream_throttled' : 'downstream_unavailable'],
    cause,
  })
}

const NO_COSTS: Readonly<Record<NoCosts, string>> = {
  subscription_unknown: 'Azure knows no subscription of that id.',
  other_tenant:
    'That subscription belongs to the directory of another organisation; this server reads the costs of its own only.',
  not_supported: `${SERVICE} has no costs to tell of that subscription and period. It knows none of sponsored and some other kinds of subscriptions, and none yet of very new ones.`,
  too_many_rows: `${SERVICE} has more to tell of that period than one answer may hold. Ask for a shorter one.`,
}
