/** Accepted exceptions: what is there, not declared, and meant to stay, line by line with a reason. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import type { Unmanaged } from './unmanaged.ts'
import type { WantedObject } from './wanted.ts'

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
const File = z.strictObject({ $schema: z.string().optional(), exceptions: z.array(Exception) })

export interface Accepted extends Unmanaged {
  why: string
}

export interface Judged {
  unmanaged: Unmanaged[]
  accepted: Accepted[]
  /** Lines that count for nothing, in words. */
  stale: string[]
}

/** An empty list where there is no such file. Throws a Problem that names the line. */
export async function readExceptions(file: string): Promise<Exception[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  const parsed = File.safeParse(parsedJson(text))
  if (parsed.success) return parsed.data.exceptions
  throw new Problem({
    what: `${file} cannot be used: ${z.prettifyError(parsed.error)}`,
    why: 'What it accepts would be reported, or what it should not accept would be hidden.',
    fix: 'Correct the file; docs/whatif.md describes it.',
  })
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `today` like 2026-11-27. */
export function withExceptions(
  unmanaged: readonly Unmanaged[],
  exceptions: readonly Exception[],
  { objects, environment, today }: { objects: readonly WantedObject[]; environment: string; today: string },
): Judged {
  const here = exceptions.filter((one) => one.environment === undefined || one.environment === environment)
  const namesOf = (key: string) => {
    const symbols = objects.find((one) => one.key === key)?.symbols ?? []
    return [...symbols, key.slice(key.indexOf('/') + 1)]
  }
  const used = new Set<Exception>()
  const judged: Judged = { unmanaged: [], accepted: [], stale: [] }
  for (const item of unmanaged) {
    const line = here.find(
      ({ object, kind, value }) =>
        kind === item.kind &&
        value.toLowerCase() === item.value.toLowerCase() &&
        namesOf(item.key).includes(object),
    )
    if (line) used.add(line)
    const isExpired = line?.expires !== undefined && line.expires < today
    if (line && !isExpired) judged.accepted.push({ ...item, why: line.reason })
    else judged.unmanaged.push(item)
    if (line && isExpired) judged.stale.push(`${textOf(line)} has expired on ${line.expires}.`)
  }
  for (const line of here) if (!used.has(line)) judged.stale.push(`${textOf(line)} matches nothing any more.`)
  return judged
}

const textOf = ({ object, kind, value }: Exception) => `The exception for ${kind} ${value} of ${object}`
