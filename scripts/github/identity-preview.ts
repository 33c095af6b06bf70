/** What `npm run whatif` says, in the two forms that workflows need. */
import { z } from 'zod'
import { attempt, jsonIn } from './command.ts'

/** 0: nothing would change. 2: something would. 1: it cannot be told. */
const EXIT = { 0: 'unchanged', 2: 'changed' } as const

export const IdentityPreview = z.object({
  state: z.enum(['unchanged', 'changed', 'failed']),
  markdown: z.string(),
  /** Reasons of the changes of high risk. */
  high: z.array(z.string()),
  /** What the deployment would fail at, whoever approves it. */
  blockers: z.array(z.string()),
})
export type IdentityPreview = z.infer<typeof IdentityPreview>

// The part of the documented format that decides here.
export const Document = z.object({
  schemaVersion: z.literal(2),
  blockers: z.array(z.object({ title: z.string(), what: z.string() })),
  unreadable: z.array(z.object({ title: z.string(), reason: z.string() })).default([]),
  changes: z.array(
    z.object({
      title: z.string(),
      properties: z.array(z.object({ risk: z.object({ grade: z.string(), reason: z.string() }) })),
    }),
  ),
})

const whatif = (format: string, more: readonly string[]) =>
  attempt('npm', ['run', '--silent', 'whatif', '--', '--format', format, ...more])

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

/** `more`: options of the what-if, like `--drift`. */
export async function identityPreview(more: readonly string[] = []): Promise<IdentityPreview> {
  const machine = await whatif('json', more)
  const state = machine.code === 0 || machine.code === 2 ? EXIT[machine.code] : undefined
  if (!state) return failed(machine.stderr || machine.stdout || `exit code ${machine.code}`)
  const parsed = Document.safeParse(jsonIn(machine.stdout))
  if (!parsed.success) return failed('npm run whatif -- --format json is not of the expected format.')
  const person = await whatif('markdown', more)
  // Something changed between the two runs: the text would not be what was graded.
  if (person.code !== machine.code)
    return failed('The directory changed while it was read. Run the job again.')
  const { changes, unreadable } = parsed.data
  const high = [
    ...unreadable.map(({ title, reason }) => `${title} could not be read: ${reason}`),
    ...changes.flatMap(({ title, properties }) =>
      properties.flatMap(({ risk }) => (risk.grade === 'high' ? [`${title}: ${risk.reason}`] : [])),
    ),
  ]
  const blockers = parsed.data.blockers.map(({ title, what }) => `${title}: ${what}`)
  return { state, markdown: person.stdout.trim(), high, blockers }
}
