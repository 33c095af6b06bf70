import { z } from 'zod'
import { Refusal, unsupported } from './refusal.ts'
import { PARTITION_KEY } from './resources.ts'

/** The body of a patch, as documented under "Partial document update"; the SDK sends both forms. */
const Change = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['add', 'set', 'replace']), path: z.string(), value: z.unknown() }),
  z.object({ op: z.literal('incr'), path: z.string(), value: z.number() }),
  z.object({ op: z.literal('remove'), path: z.string() }),
])
type Change = z.infer<typeof Change>

const Changes = z.array(Change).min(1).max(10)
const Patch = z.union([
  Changes.transform((operations) => ({ operations, condition: undefined })),
  z.object({ operations: Changes, condition: z.string().optional() }),
])

const READ_ONLY = ['id', '_rid', '_etag', '_self', '_ts', PARTITION_KEY]

/**
 * A copy of the document with all the changes, in order.
 *
 * @throws Refusal 400 when a change cannot be made
 */
export const patched = (document: Record<string, unknown>, body: unknown) => {
  const patch = Patch.safeParse(body)
  if (!patch.success)
    throw new Refusal(400, 'The patch must hold 1 to 10 operations: add, set, replace, remove, incr.')
  if (patch.data.condition !== undefined) throw unsupported('conditional patches')
  const copy = structuredClone(document)
  for (const change of patch.data.operations) apply(copy, change)
  return copy
}

const apply = (document: Record<string, unknown>, change: Change) => {
  const names = segments(change.path)
  const name = names.pop()
  if (name === undefined || READ_ONLY.includes(names[0] ?? name)) throw invalid(change.path)
  const parent = names.reduce((branch, step) => descend(branch, step, change.path), document)
  const exists = Object.hasOwn(parent, name)
  if (!exists && (change.op === 'replace' || change.op === 'remove')) throw invalid(change.path)
  if (change.op === 'remove') delete parent[name]
  else parent[name] = change.op === 'incr' ? increased(parent[name], change) : change.value
}

const descend = (branch: Record<string, unknown>, step: string, path: string) => {
  const child = Object.hasOwn(branch, step) ? branch[step] : undefined
  if (Array.isArray(child)) throw unsupported('patches inside of arrays')
  if (!isBranch(child)) throw invalid(path)
  return child
}

const isBranch = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const increased = (current: unknown, { value, path }: { value: number; path: string }) => {
  if (current === undefined) return value
  if (typeof current !== 'number') throw invalid(path)
  return current + value
}

const segments = (path: string) => {
  if (!path.startsWith('/') || path.length < 2) throw invalid(path)
  const parts = path.slice(1).split('/')
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const invalid = (path: string) => new Refusal(400, `The patch cannot be applied to the path ${path}.`)
