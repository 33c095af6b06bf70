/** How dangerous one difference is, and why: high, unless a rule says that it is less. */

import type { GraphType } from '../bicep/declared.ts'
import type { Value } from '../bicep/value.ts'
import type { Difference } from './comparison.ts'
import type { WantedProperties } from './open.ts'
import * as rules from './rules.ts'

export const GRADES = ['low', 'medium', 'high'] as const
export type Grade = (typeof GRADES)[number]

/**
 * `proposed`: what a deployment would do, from the live object to the declared one. `found`: what somebody did by
 * hand, from the declared object to the live one.
 */
export type Perspective = 'proposed' | 'found'

export interface Risk {
  grade: Grade
  /** Stable name of the rule: part of the JSON format. */
  rule: string
  reason: string
}

export interface Fact {
  type: GraphType
  /** What happens, or what was done: `before` and `after` in the order of time. */
  difference: Difference
  wanted: WantedProperties
  /** It comes into being with this. */
  isNew: boolean
  tenantId: string
  /** Hosts of the addresses that the object has before. */
  hosts: ReadonlySet<string>
  /** Domains that the deployment makes, where they are known. */
  domains: readonly string[]
  /** It is there and carries none of the tags that mark this environment. */
  isAdopted: boolean
  /** Some client gets tokens of it, or it gets some, without anybody being asked. */
  isTrusted: boolean
  /** Of an assignment: what kind of principal gets it; undefined: it cannot be told. */
  assignee: 'people' | 'service' | undefined
  /** Of an assignment: only users can hold the role. */
  isUserRole: boolean
  nameOf: (value: Value | undefined) => string
}

interface Rule {
  name: string
  grade: Grade
  /** The reason when the rule applies. */
  judge: (fact: Fact) => string | undefined
}

/** The first that applies counts. Those of high risk are here for their reasons: without them it would be high too. */
export const RULES: readonly Rule[] = [
  { name: 'consent', grade: 'high', judge: rules.consent },
  { name: 'application-permission', grade: 'high', judge: rules.applicationPermission },
  { name: 'federated-credential', grade: 'high', judge: rules.federation },
  { name: 'credential', grade: 'high', judge: rules.credential },
  { name: 'lock', grade: 'high', judge: rules.lock },
  { name: 'audience', grade: 'high', judge: rules.audience },
  { name: 'sign-in', grade: 'high', judge: rules.signIn },
  { name: 'token', grade: 'high', judge: rules.token },
  { name: 'flow', grade: 'high', judge: rules.flow },
  { name: 'owner', grade: 'high', judge: rules.owner },
  { name: 'adoption', grade: 'high', judge: rules.adoption },
  { name: 'foreign-address', grade: 'high', judge: rules.foreignAddress },
  { name: 'new-address', grade: 'medium', judge: rules.newAddress },
  { name: 'known-address', grade: 'low', judge: rules.knownAddress },
  { name: 'pre-authorized-client', grade: 'medium', judge: rules.preAuthorized },
  { name: 'requested-permission', grade: 'medium', judge: rules.requested },
  { name: 'scope-or-role', grade: 'medium', judge: rules.scope },
  { name: 'group-member', grade: 'medium', judge: rules.member },
  { name: 'assignment', grade: 'medium', judge: rules.assigned },
  { name: 'consent-of-one', grade: 'medium', judge: rules.consentOfOne },
  { name: 'text', grade: 'low', judge: rules.text },
  { name: 'new-object', grade: 'low', judge: rules.newObject },
  { name: 'narrower', grade: 'low', judge: rules.narrower },
]

export function riskOf(fact: Fact): Risk {
  for (const { name, grade, judge } of RULES) {
    const reason = judge(fact)
    if (reason !== undefined) return { grade, rule: name, reason }
  }
  return { grade: 'high', rule: 'other', reason: 'No rule says that this is harmless.' }
}

/** The same difference as what somebody did who changed the live object. */
export const turned = ({ action, before, after, ...rest }: Difference): Difference => ({
  ...rest,
  action: action === 'add' ? 'remove' : action === 'remove' ? 'add' : 'change',
  before: after,
  after: before,
})

export const highest = (risks: readonly { grade: Grade }[]): Grade =>
  GRADES.findLast((grade) => risks.some((risk) => risk.grade === grade)) ?? 'low'

export const isAtLeast = (grade: Grade, level: Grade): boolean =>
  GRADES.indexOf(grade) >= GRADES.indexOf(level)
