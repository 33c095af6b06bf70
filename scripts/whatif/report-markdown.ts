/** The report as a comment on a pull request. */
import { WORDS, wordOf } from './actual-state.ts'
import type { Change, Graded } from './changes.ts'
import { summarize, writeHeadline } from './report.ts'
import { renderMap } from './report-map.ts'
import { SIGNS, showName, showValue } from './report-text.ts'
import { GRADES, type Grade } from './risk.ts'
import type { Unmanaged } from './unmanaged.ts'
import { type Unreadable, whereIs } from './unreadable.ts'
import type { WhatIf } from './whatif.ts'

/** By which a workflow finds its own comment again. */
const MARKER = '<!-- identity-what-if -->'
/** GitHub takes 65,536 characters in a comment. */
const LONGEST = 60_000

const DOTS: Record<Grade, string> = { high: '🔴 high', medium: '🟠 medium', low: '⚪ low' }

/** Names come from the directory: they must not become markup or mentions. Inside a summary only HTML is read. */
const escapeHtml = (text: string): string =>
  showName(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u200b')

/** Nor links. */
export const escapeMarkdown = (text: string): string =>
  escapeHtml(text)
    .replaceAll(/[\\`*_{}[\]#!|~]/g, '\\$&')
    .replaceAll('://', ':\u200b//')

/** A fence longer than any run of backticks inside. */
export function fence(language: string, text: string): string[] {
  const runs = text.match(/`+/g) ?? []
  const marks = '`'.repeat(Math.max(3, ...runs.map(({ length }) => length + 1)))
  return [`${marks}${language}`, text.trimEnd(), marks]
}

const table = (head: string[], rows: string[][]): string[] =>
  rows.length === 0
    ? []
    : [
        `| ${head.join(' | ')} |`,
        `|${' --- |'.repeat(head.length)}`,
        ...rows.map((row) => `| ${row.join(' | ')} |`),
        '',
      ]

type Titled = Pick<Unreadable, 'type' | 'title'>
const titled = ({ type, title }: Titled) => `${escapeMarkdown(wordOf(type))} **${escapeMarkdown(title)}**`

function risks({ changes, pending, unmanaged, unreadable }: WhatIf): string[] {
  const row = (grade: Grade, about: Titled, change: string, why: string) => {
    return [DOTS[grade], titled(about), change, escapeMarkdown(why)]
  }
  const all = changes.flatMap((change) => change.properties.map((property) => ({ change, property })))
  const grave = (['high', 'medium'] as const).flatMap((grade) =>
    all.filter(({ property }) => property.risk.grade === grade),
  )
  const open = pending.filter(({ risk }) => risk.grade !== 'low')
  const worst = GRADES.toReversed().flatMap((grade) => unmanaged.filter((one) => one.grade === grade))
  return table(
    ['risk', 'object', 'change', 'why'],
    [
      ...unreadable.map((one) =>
        row(one.grade, one, `could not be read (${escapeMarkdown(whereIs(one))})`, one.reason),
      ),
      ...grave.map(({ change, property: { action, path, risk } }) =>
        row(risk.grade, change, `${SIGNS[action]} ${escapeMarkdown(path)}`, risk.reason),
      ),
      ...open.map((one) => {
        const path = one.path ? `${escapeMarkdown(one.path)} is ` : ''
        return row(one.risk.grade, one, `${path}known after deployment`, one.risk.reason)
      }),
      ...worst.map((one) => row(one.grade, one, `unmanaged ${escapeMarkdown(one.kind)}`, one.reason)),
    ],
  )
}

function valueLines({ path, before, after }: Graded): string[] {
  const removed = before === undefined ? [] : [`- ${showName(path)}: ${showValue(before)}`]
  const added = after === undefined ? [] : [`+ ${showName(path)}: ${showValue(after)}`]
  return [...removed, ...added]
}

function details(change: Change): string[] {
  const verb = change.action === 'create' ? 'is created' : 'is changed'
  const by = change.by === 'hook' ? ' by a hook' : ''
  const symbols = change.symbols.join(', ')
  return [
    `<details><summary>${SIGNS[change.action]} ${WORDS[change.type]} <b>${escapeHtml(change.title)}</b> ${verb}${by}, ${DOTS[change.grade]}</summary>`,
    '',
    ...(symbols ? [`Declared as ${escapeMarkdown(`(${symbols})`)}`, ''] : []),
    ...fence('diff', change.properties.flatMap(valueLines).join('\n')),
    '',
    '</details>',
    '',
  ]
}

function lists(result: WhatIf): string[] {
  const orphans = result.orphans.map((one) => {
    const heir = result.changes.find(({ key }) => key === one.renamedTo)
    const rename = heir ? `, renamed: **${escapeMarkdown(heir.title)}** is created in its place` : ''
    return `- ${titled(one)} (${escapeMarkdown(one.uniqueName ?? one.id)})${rename}`
  })
  const pending = result.pending.map(
    ({ title, path, text }) =>
      `- **${escapeMarkdown(title)}** ${escapeMarkdown(path)}: ${escapeMarkdown(text)}`,
  )
  const line = ({ title, kind, value }: Unmanaged, why: string) =>
    `- **${escapeMarkdown(title)}**, ${escapeMarkdown(kind)} ${escapeMarkdown(value)}: ${escapeMarkdown(why)}`
  const unmanaged = result.unmanaged.map((one) => line(one, one.reason))
  const accepted = result.accepted.map((one) => line(one, one.why))
  const sentences = (lines: string[]) => lines.map((line) => `- ${escapeMarkdown(line)}`)
  const section = (title: string, lines: string[]) =>
    lines.length > 0 ? [`#### ${title}`, '', ...lines, ''] : []
  return [
    ...section('Left behind: tagged for this environment, no longer declared', orphans),
    ...section('Known after deployment: neither a change nor no change', pending),
    ...section('Unmanaged: there and not declared; a deployment leaves it', unmanaged),
    ...section('Accepted exceptions', accepted),
    ...section('Exceptions that count for nothing', sentences(result.stale)),
    ...section('Could not be told', sentences(result.notes)),
  ]
}

function head(result: WhatIf): string[] {
  const summary = summarize(result)
  const columns: [head: string, count: number][] = [
    ['create', summary.create],
    ['change', summary.update],
    ['left behind', summary.orphans],
    ['unmanaged', summary.unmanaged],
    ['will fail', summary.blockers],
    ...(summary.unreadable > 0 ? [['not read', summary.unreadable] satisfies [string, number]] : []),
    ['open', summary.pending],
    ...GRADES.toReversed().map((grade): [string, number] => [DOTS[grade], summary.risks[grade]]),
  ]
  return [
    MARKER,
    `### Identity what-if${result.environment && `: ${escapeMarkdown(result.environment)}`}`,
    '',
    `**${writeHeadline(summary)}**`,
    '',
    ...table(
      columns.map(([name]) => name),
      summary.result === 'none' ? [] : [columns.map(([, count]) => String(count))],
    ),
    ...result.blockers.flatMap(({ title, what, wayOut }) => [
      `> ⛔ **${escapeMarkdown(title)}**: ${escapeMarkdown(what)}`,
      `> Way out: ${escapeMarkdown(wayOut)}`,
      '',
    ]),
    ...risks(result),
  ]
}

/** At most as long as GitHub takes: the details go first. */
export function renderMarkdown(result: WhatIf): string {
  const [start, end] = [head(result), lists(result)]
  const map = ['<details><summary>Identity map</summary>', '', ...fence('mermaid', renderMap(result)), '']
  const whole = [...start, ...result.changes.flatMap(details), ...end, ...map, '</details>', ''].join('\n')
  if (whole.length <= LONGEST) return whole
  const note = '_Too long for a comment: the details are in the log of the run._'
  return [...start, ...end, note, ''].join('\n').slice(0, LONGEST)
}
