/** How dangerous one difference is, and why. */
import type { GraphType } from '../bicep/declared.ts'
import type { Difference } from './comparison.ts'
import type { LiveProperties } from './keys.ts'
import type { Wanted, WantedProperties } from './open.ts'
import * as rules from './rules.ts'

export const GRADES = ['low', 'medium', 'high'] as const
export type Grade = (typeof GRADES)[number]

export interface Risk {
  grade: Grade
  /** Stable name of the rule: part of the JSON format. */
  rule: string
  reason: string
}

export interface Fact {
  type: GraphType
  difference: Difference
  wanted: WantedProperties
  /** undefined: the object is new. */
  live: LiveProperties | undefined
  tenantId: string
  /** Of an assignment: whether people get it, not an app. */
  isForPeople: boolean
  nameOf: (value: Wanted | undefined) => string
}

interface Rule {
  name: string
  grade: Grade
  /** The reason when the rule applies. */
  judge: (fact: Fact) => string | undefined
}

/** The first that applies counts. */
const RULES: readonly Rule[] = [
  { name: 'consent', grade: 'high', judge: rules.consent },
  { name: 'federated-credential', grade: 'high', judge: rules.federation },
  { name: 'audience', grade: 'high', judge: rules.audience },
  { name: 'assignment-requirement', grade: 'high', judge: rules.assignment },
  { name: 'foreign-identifier-uri', grade: 'high', judge: rules.identifierUri },
  { name: 'owner', grade: 'high', judge: rules.owner },
  { name: 'password-credential', grade: 'high', judge: rules.password },
  { name: 'redirect-uri', grade: 'high', judge: rules.redirect },
  { name: 'pre-authorized-client', grade: 'medium', judge: rules.preAuthorized },
  { name: 'scope-or-role', grade: 'medium', judge: rules.scope },
  { name: 'group-member', grade: 'medium', judge: rules.member },
  {
    name: 'text',
    grade: 'low',
    judge: ({ difference }) => (rules.TEXTS.test(difference.place) ? 'A text or a tag.' : undefined),
  },
  { name: 'assignment', grade: 'medium', judge: rules.assigned },
  { name: 'new-object', grade: 'low', judge: ({ live }) => (live ? undefined : 'Part of a new object.') },
  {
    name: 'narrower',
    grade: 'low',
    judge: ({ difference }) =>
      difference.action === 'remove' || rules.isTightened(difference) ? 'Takes something away.' : undefined,
  },
]

export function riskOf(fact: Fact): Risk {
  for (const { name, grade, judge } of RULES) {
    const reason = judge(fact)
    if (reason !== undefined) return { grade, rule: name, reason }
  }
  // Neither a text nor known to be harmless: somebody should look.
  return { grade: 'medium', rule: 'other', reason: 'Changes how the object behaves.' }
}

export const highest = (risks: readonly { grade: Grade }[]): Grade =>
  GRADES.findLast((grade) => risks.some((risk) => risk.grade === grade)) ?? 'low'

export const isAtLeast = (grade: Grade, level: Grade): boolean =>
  GRADES.indexOf(grade) >= GRADES.indexOf(level)
