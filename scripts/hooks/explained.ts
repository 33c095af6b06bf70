/** Every failure as a text for an operator: what, why, and the command that helps. */

import { remedyOf } from '../directory/remedies.ts'
import { Problem } from './problem.ts'

export function explained(error: unknown): string {
  // Their texts are complete already.
  if (error instanceof Problem || error instanceof AggregateError) return error.message
  const { cause, fix } = remedyOf(error)
  const message = error instanceof Error ? error.message : String(error)
  return `${message}\n  why: ${cause}\n  fix: ${fix}`
}
