/** What the action identity-what-if has said in an earlier step, in the two forms that workflows need. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** 0: nothing would change. 2: something would. 1: it cannot be told. */
const EXIT = { '0': 'unchanged', '1': 'failed', '2': 'changed' } as const

export const IdentityPreview = z.object({
  state: z.enum(['unchanged', 'changed', 'failed']),
  markdown: z.string(),
  /** How many changes are of high risk. */
  high: z.number(),
  /** How many things the deployment would fail at, whoever approves it. */
  blockers: z.number(),
})
export type IdentityPreview = z.infer<typeof IdentityPreview>

const Judged = z.object({ risk: z.object({ grade: z.string() }) })

// The part of the documented format that decides here.
export const Document = z.object({
  schemaVersion: z.literal(2),
  blockers: z.array(z.unknown()),
  unreadable: z.array(z.unknown()).default([]),
  changes: z.array(z.object({ properties: z.array(Judged) })),
  pending: z.array(Judged).default([]),
})

/** Variables of a step that comes after the action: two of its outputs. */
export const REPORTS = {
  /** The folder; empty where the action could not even begin. */
  IDENTITY_REPORTS: z.string(),
  IDENTITY_EXIT_CODE: z.enum(['0', '1', '2']),
}
type Reports = z.infer<z.ZodObject<typeof REPORTS>>

const failed = (why: string): IdentityPreview => ({
  state: 'failed',
  markdown: `The identity preview failed, so nothing can be said about identities:\n\n${fenced(why)}`,
  high: 0,
  blockers: 0,
})

/** What a program printed; undefined: that is no JSON, and whoever asked says so in words. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A block that its own content cannot end. */
export const fenced = (text: string): string => {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${text.trim()}\n${fence}`
}

export async function identityPreview({
  IDENTITY_REPORTS: folder,
  IDENTITY_EXIT_CODE: code,
}: Reports): Promise<IdentityPreview> {
  const read = (end: string) =>
    readFile(join(folder, `identity-what-if.${end}`), 'utf8').catch(() => undefined)
  const markdown = (folder && (await read('md')))?.trim()
  if (!markdown) return failed('identity-what-if did not begin; the log of its step says why.')
  const state = EXIT[code]
  if (state === 'failed') return { state, markdown, high: 0, blockers: 0 }
  const parsed = Document.safeParse(jsonIn((await read('json')) ?? ''))
  if (!parsed.success) return failed('identity-what-if.json is not of the expected format.')
  const { changes, pending, unreadable, blockers } = parsed.data
  const judged = [...changes.flatMap(({ properties }) => properties), ...pending]
  const high = judged.filter(({ risk }) => risk.grade === 'high').length + unreadable.length
  return { state, markdown, high, blockers: blockers.length }
}
