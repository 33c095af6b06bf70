/** The report as a comment on a pull request. */
import { WORDS } from './actual-state.ts'
import type { Change, Graded } from './changes.ts'
import { summarize, writeHeadline } from './report.ts'
import { renderMap } from './report-map.ts'
import { SIGNS, showName, showValue } from './report-text.ts'
import { GRADES, type Grade } from './risk.ts'
import type { WhatIf } from './whatif.ts'

/** By which a workflow finds its own comment again. */
const MARKER = '<!-- identity-what-if -->'
/** GitHub takes 65,536 characters in a comment. */
const LONGEST = 60_000

const DOTS: Record<Grade, string> = { high: '🔴 high', medium: '🟠 medium', low: '⚪ low' }

/** Names come from the directory: they must not become markup, links or mentions. */
export const escapeMarkdown = (text: string): string =>
  showName(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]#!|~]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .replaceAll('://', ':\u200b//')

/** Inside a summary Markdown is not read, only HTML. */
const html = (text: string): string =>
  showName(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u200b')

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

const titled = ({ type, title }: Pick<Change, 'type' | 'title'>) =>
  `${WORDS[type]} **${escapeMarkdown(title)}**`

function risks({ changes, unmanaged }: WhatIf): string[] {
  const all = changes.flatMap((change) => change.properties.map((property) => ({ change, property })))
  const grave = (['high', 'medium'] as const).flatMap((grade) =>
    all.filter(({ property }) => property.risk.grade === grade),
  )
  return table(
    ['risk', 'object', 'change', 'why'],
    [
      ...grave.map(({ change, property }) => [
        DOTS[property.risk.grade],
        titled(change),
        `${SIGNS[property.action]} ${escapeMarkdown(property.path)}`,
        escapeMarkdown(property.risk.reason),
      ]),
      ...GRADES.toReversed().flatMap((grade) =>
        unmanaged
          .filter((one) => one.grade === grade)
          .map((one) => [
            DOTS[grade],
            titled(one),
            `unmanaged ${escapeMarkdown(one.kind)}`,
            escapeMarkdown(one.reason),
          ]),
      ),
    ],
  )
}

function valueLines({ action, path, before, after }: Graded): string[] {
  const removed = before === undefined ? [] : [`- ${showName(path)}: ${showValue(before)}`]
  const added = after === undefined ? [] : [`+ ${showName(path)}: ${showValue(after)}`]
  return action === 'add' ? added : action === 'remove' ? removed : [...removed, ...added]
}

function details(change: Change): string[] {
  const verb = change.action === 'create' ? 'is created' : 'is changed'
  const by = change.by === 'hook' ? ' by a hook' : ''
  const symbols = change.symbols.length > 0 ? ` (${change.symbols.join(', ')})` : ''
  return [
    `<details><summary>${SIGNS[change.action]} ${WORDS[change.type]} <b>${html(change.title)}</b> ${verb}${by}, ${DOTS[change.grade]}</summary>`,
    '',
    ...(symbols ? [`Declared as ${escapeMarkdown(symbols.trim())}`, ''] : []),
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
  const unmanaged = result.unmanaged.map(
    ({ title, kind, value, reason }) =>
      `- **${escapeMarkdown(title)}**, ${escapeMarkdown(kind)} ${escapeMarkdown(value)}: ${escapeMarkdown(reason)}`,
  )
  const accepted = result.accepted.map(
    ({ title, kind, value, why }) =>
      `- **${escapeMarkdown(title)}**, ${escapeMarkdown(kind)} ${escapeMarkdown(value)}: ${escapeMarkdown(why)}`,
  )
  const section = (title: string, lines: string[]) =>
    lines.length > 0 ? [`#### ${title}`, '', ...lines, ''] : []
  return [
    ...section('Left behind: tagged for this environment, no longer declared', orphans),
    ...section('Known after deployment: neither a change nor no change', pending),
    ...section('Unmanaged: there and not declared; a deployment leaves it', unmanaged),
    ...section('Accepted exceptions', accepted),
    ...section(
      'Exceptions that count for nothing',
      result.stale.map((line) => `- ${escapeMarkdown(line)}`),
    ),
    ...section(
      'Could not be told',
      result.notes.map((note) => `- ${escapeMarkdown(note)}`),
    ),
  ]
}

function head(result: WhatIf): string[] {
  const summary = summarize(result)
  const { create, update, orphans, blockers, pending, unmanaged } = summary
  const grades = GRADES.toReversed()
  const counts = [
    create,
    update,
    orphans,
    unmanaged,
    blockers,
    pending,
    ...grades.map((grade) => summary.risks[grade]),
  ]
  return [
    MARKER,
    `### Identity what-if: ${escapeMarkdown(result.environment)}`,
    '',
    `**${writeHeadline(summary)}**`,
    '',
    ...table(
      [
        'create',
        'change',
        'left behind',
        'unmanaged',
        'will fail',
        'open',
        ...grades.map((grade) => DOTS[grade]),
      ],
      summary.result === 'none' ? [] : [counts.map(String)],
    ),
    ...result.blockers.flatMap(({ title, what, wayOut }) => [
      `> ⛔ **${escapeMarkdown(title)}**: ${escapeMarkdown(what)}`,
      `> Way out: ${escapeMarkdown(wayOut)}`,
      '',
    ]),
    ...risks(result),
  ]
}

export function renderMarkdown(result: WhatIf): string {
  const start = head(result)
  const map = [
    '<details><summary>Identity map</summary>',
    '',
    ...fence('mermaid', renderMap(result)),
    '',
    '</details>',
    '',
  ]
  const whole = [...start, ...result.changes.flatMap(details), ...lists(result), ...map].join('\n')
  if (whole.length <= LONGEST) return whole
  const short = [
    ...start,
    ...lists(result),
    '_Too long for a comment: the details are in the log of the run._',
    '',
  ]
  return short.join('\n').slice(0, LONGEST)
}
