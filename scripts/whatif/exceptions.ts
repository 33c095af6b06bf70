/** Accepted exceptions: what is there, not declared, and meant to stay, line by line with a reason. */
import { z } from 'zod'
import type { DesiredObject } from './desired.ts'
import type { Unmanaged } from './unmanaged.ts'

const Exception = z.strictObject({
  /** Module path and symbolic name (`identity/api`), or the unique name. */
  object: z.string().min(1),
  kind: z.string().min(1),
  value: z.string().min(1),
  reason: z.string().min(10, 'should say in a sentence why it may stay'),
  /** The azd environment that it is about; every one when left out. */
  environment: z.string().optional(),
  /** The last day on which it counts. */
  expires: z.iso.date().optional(),
})
export type Exception = z.infer<typeof Exception>
/** The reviewed file. */
export const Exceptions = z.strictObject({ $schema: z.string().optional(), exceptions: z.array(Exception) })

export type Accepted = Unmanaged & { why: string }

export interface Sorted {
  unmanaged: Unmanaged[]
  accepted: Accepted[]
  /** Lines that count for nothing, in words. */
  stale: string[]
}

/** `today` like 2026-11-27. */
export function applyExceptions(
  unmanaged: readonly Unmanaged[],
  exceptions: readonly Exception[],
  { objects, environment, today }: { objects: readonly DesiredObject[]; environment: string; today: string },
): Sorted {
  const here = exceptions.filter((one) => one.environment === undefined || one.environment === environment)
  const namesOf = (key: string) => {
    const symbols = objects.find((one) => one.key === key)?.symbols ?? []
    return [...symbols, key.slice(key.indexOf('/') + 1)]
  }
  const used = new Set<Exception>()
  const sorted: Sorted = { unmanaged: [], accepted: [], stale: [] }
  for (const item of unmanaged) {
    const line = here.find(
      ({ object, kind, value }) =>
        kind === item.kind &&
        value.toLowerCase() === item.value.toLowerCase() &&
        namesOf(item.key).includes(object),
    )
    if (line) used.add(line)
    const isExpired = line?.expires !== undefined && line.expires < today
    if (line && !isExpired) sorted.accepted.push({ ...item, why: line.reason })
    else sorted.unmanaged.push(item)
    if (line && isExpired) sorted.stale.push(`${describe(line)} has expired on ${line.expires}.`)
  }
  for (const line of here)
    if (!used.has(line)) sorted.stale.push(`${describe(line)} matches nothing any more.`)
  return sorted
}

const describe = ({ object, kind, value }: Exception) => `The exception for ${kind} ${value} of ${object}`
