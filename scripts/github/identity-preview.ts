/** What the action identity-what-if has said in an earlier step, in the two forms that workflows need. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { jsonIn } from './command.ts'

/** 0: nothing would change. 2: something would. 1: it cannot be told. */
const EXIT = { '0': 'unchanged', '1': 'failed', '2': 'changed' } as const

export const IdentityPreview = z.object({
  state: z.enum(['unchanged', 'changed', 'failed']),
  markdown: z.string(),
  /** Reasons of the changes of high risk. */
  high: z.array(z.string()),
  /** What the deployment would fail at, whoever approves it. */
  blockers: z.array(z.string()),
})
export type IdentityPreview = z.infer<typeof IdentityPreview>

const Risk = z.object({ grade: z.string(), reason: z.string() })

// The part of the documented format that decides here.
export const Document = z.object({
  schemaVersion: z.literal(2),
  blockers: z.array(z.object({ title: z.string(), what: z.string() })),
  unreadable: z.array(z.object({ title: z.string(), reason: z.string() })).default([]),
  changes: z.array(
    z.object({
      title: z.string(),
      properties: z.array(z.object({ risk: Risk })),
    }),
  ),
  pending: z
    .array(z.object({ title: z.string(), path: z.string(), text: z.string(), risk: Risk }))
    .default([]),
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
  high: [],
  blockers: [],
})

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
  if (state === 'failed') return { state, markdown, high: [], blockers: [] }
  const parsed = Document.safeParse(jsonIn((await read('json')) ?? ''))
  if (!parsed.success) return failed('identity-what-if.json is not of the expected format.')
  const { changes, pending, unreadable } = parsed.data
  const high = [
    ...unreadable.map(({ title, reason }) => `${title} could not be read: ${reason}`),
    ...changes.flatMap(({ title, properties }) =>
      properties.flatMap(({ risk }) => (risk.grade === 'high' ? [`${title}: ${risk.reason}`] : [])),
    ),
    ...pending.flatMap(({ title, path, text, risk }) =>
      risk.grade === 'high' ? [`${title}, ${path ? `${path}: ` : ''}${text}: ${risk.reason}`] : [],
    ),
  ]
  const blockers = parsed.data.blockers.map(({ title, what }) => `${title}: ${what}`)
  return { state, markdown, high, blockers }
}
