/** The numbers of a what-if, and how a run ends. */
import { type Grade, isAtLeast } from './risk.ts'
import type { WhatIf } from './whatif.ts'

export interface Summary {
  /** pending: nothing is known to change, but not everything is known. */
  result: 'none' | 'pending' | 'changes'
  create: number
  update: number
  blockers: number
  orphans: number
  pending: number
  /** There and not declared. */
  unmanaged: number
  accepted: number
  /** Differences and unmanaged things of each grade. */
  risks: Record<Grade, number>
}

type Counted = Pick<
  WhatIf,
  'changes' | 'pending' | 'blockers' | 'orphans' | 'unmanaged' | 'accepted' | 'stale'
>

export function summaryOf({
  changes,
  pending,
  blockers,
  orphans,
  unmanaged,
  accepted,
  stale,
}: Counted): Summary {
  const risks = { high: 0, medium: 0, low: 0 }
  for (const { risk } of changes.flatMap(({ properties }) => properties)) risks[risk.grade] += 1
  for (const { grade } of unmanaged) risks[grade] += 1
  const differs = [changes, blockers, orphans, unmanaged, stale].some(({ length }) => length > 0)
  return {
    result: differs ? 'changes' : pending.length > 0 ? 'pending' : 'none',
    create: changes.filter(({ action }) => action === 'create').length,
    update: changes.filter(({ action }) => action === 'update').length,
    blockers: blockers.length,
    orphans: orphans.length,
    pending: pending.length,
    unmanaged: unmanaged.length,
    accepted: accepted.length,
    risks,
  }
}

export function headline({ result, blockers, pending, create, update, orphans, unmanaged }: Summary): string {
  if (result === 'none') return 'No changes. The directory is as declared.'
  const values = `${pending} ${pending === 1 ? 'value is' : 'values are'} known only after the deployment`
  if (result === 'pending') return `No known changes; ${values}.`
  if (blockers > 0) return 'This deployment will fail.'
  if (create + update + orphans > 0 || unmanaged === 0) return 'The directory differs from what is declared.'
  return 'What is declared is there, and more.'
}

export const LEVELS = ['high', 'medium', 'any'] as const
export type Level = (typeof LEVELS)[number]

/** 0: nothing of that level; 2: something. What will fail counts for every level. */
export function exitCodeOf(result: WhatIf, level: Level): 0 | 2 {
  if (level === 'any') return summaryOf(result).result === 'changes' ? 2 : 0
  const grades = [
    ...result.changes.flatMap(({ properties }) => properties.map(({ risk }) => risk.grade)),
    ...result.unmanaged.map(({ grade }) => grade),
  ]
  return result.blockers.length > 0 || grades.some((grade) => isAtLeast(grade, level)) ? 2 : 0
}
