/** Is what a page shows still what comes out? */
import assert from 'node:assert/strict'

/** What differs from run to run, and what it must look like. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  // Ids that are made anew; those that the seed knows are told apart by `known`.
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'],
  [/\b20\d\d-\d\d-\d\dT[\d:.]+Z/g, String.raw`20\d\d-\d\d-\d\dT[\d:.]+Z`],
  [/valid until 20\d\d-\d\d-\d\d/g, String.raw`valid until 20\d\d-\d\d-\d\d`],
  [/enter the code [A-Z2-9]{9}\b/g, 'enter the code [A-Z2-9]{9}'],
  [/"(duration_ms|age_seconds)":[\d.]+/g, String.raw`"(?:duration_ms|age_seconds)":[\d.]+`],
]
/** A line of its own that stands for any lines. */
const DOTS = /^(?:\.\.\.|…)$/

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

function lineOf(line: string, known: readonly string[]): string {
  const kinds = VOLATILE.map(([shown]) => shown.source).join('|')
  let pattern = ''
  let from = 0
  for (const match of line.matchAll(new RegExp(kinds, 'g'))) {
    const [text] = match
    const rule = known.includes(text)
      ? undefined
      : VOLATILE.find(([shown]) => text.match(shown)?.[0] === text)
    pattern += escaped(line.slice(from, match.index)) + (rule?.[1] ?? escaped(text))
    from = match.index + text.length
  }
  return pattern + escaped(line.slice(from))
}

/** Fails where `output` is not what is shown. `known`: ids that are no accident. */
export function assertShown(shown: string, output: string, known: readonly string[] = []): void {
  const lines = shown.trim().split('\n')
  const pattern = lines.map((line) => (DOTS.test(line) ? '(?:.*\n)*' : `${lineOf(line, known)}\n`)).join('')
  if (!new RegExp(`^${pattern}$`).test(`${output.trim()}\n`))
    assert.equal(output.trim(), shown.trim(), 'what a page shows is not what comes out')
}
