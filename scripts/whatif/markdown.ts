/** The what-if as a comment on a pull request. */
import type { Change, Graded } from './changes.ts'
import { mapOf } from './map.ts'
import { escaped, fenced, html, table } from './markup.ts'
import { WORDS } from './naming.ts'
import { GRADES, type Grade } from './risk.ts'
import { headline, summaryOf } from './summary.ts'
import { nameText, shown } from './text.ts'
import type { WhatIf } from './whatif.ts'

/** By which a workflow finds its own comment again. */
export const MARKER = '<!-- identity-what-if -->'
/** GitHub takes 65,536 characters in a comment. */
const LONGEST = 60_000

const DOTS: Record<Grade, string> = { high: '🔴 high', medium: '🟠 medium', low: '⚪ low' }
const SIGNS = { add: '+', remove: '-', change: '~', create: '+', update: '~' } as const

const titled = ({ type, title }: Pick<Change, 'type' | 'title'>) => `${WORDS[type]} **${escaped(title)}**`

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
        `${SIGNS[property.action]} ${escaped(property.path)}`,
        escaped(property.risk.reason),
      ]),
      ...GRADES.toReversed().flatMap((grade) =>
        unmanaged
          .filter((one) => one.grade === grade)
          .map((one) => [DOTS[grade], titled(one), `unmanaged ${escaped(one.kind)}`, escaped(one.reason)]),
      ),
    ],
  )
}

function valueLines({ action, path, before, after }: Graded): string[] {
  const removed = before === undefined ? [] : [`- ${nameText(path)}: ${shown(before)}`]
  const added = after === undefined ? [] : [`+ ${nameText(path)}: ${shown(after)}`]
  return action === 'add' ? added : action === 'remove' ? removed : [...removed, ...added]
}

function details(change: Change): string[] {
  const verb = change.action === 'create' ? 'is created' : 'is changed'
  const by = change.by === 'hook' ? ' by a hook' : ''
  const symbols = change.symbols.length > 0 ? ` (${change.symbols.join(', ')})` : ''
  return [
    `<details><summary>${SIGNS[change.action]} ${WORDS[change.type]} <b>${html(change.title)}</b> ${verb}${by}, ${DOTS[change.grade]}</summary>`,
    '',
    ...(symbols ? [`Declared as ${escaped(symbols.trim())}`, ''] : []),
    ...fenced('diff', change.properties.flatMap(valueLines).join('\n')),
    '',
    '</details>',
    '',
  ]
}

function lists(result: WhatIf): string[] {
  const orphans = result.orphans.map((one) => {
    const heir = result.changes.find(({ key }) => key === one.renamedTo)
    const rename = heir ? `, renamed: **${escaped(heir.title)}** is created in its place` : ''
    return `- ${titled(one)} (${escaped(one.uniqueName ?? one.id)})${rename}`
  })
  const pending = result.pending.map(
    ({ title, path, text }) => `- **${escaped(title)}** ${escaped(path)}: ${escaped(text)}`,
  )
  const unmanaged = result.unmanaged.map(
    ({ title, kind, value, reason }) =>
      `- **${escaped(title)}**, ${escaped(kind)} ${escaped(value)}: ${escaped(reason)}`,
  )
  const accepted = result.accepted.map(
    ({ title, kind, value, why }) =>
      `- **${escaped(title)}**, ${escaped(kind)} ${escaped(value)}: ${escaped(why)}`,
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
      result.stale.map((line) => `- ${escaped(line)}`),
    ),
    ...section(
      'Could not be told',
      result.notes.map((note) => `- ${escaped(note)}`),
    ),
  ]
}

function head(result: WhatIf): string[] {
  const summary = summaryOf(result)
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
    `### Identity what-if: ${escaped(result.environment)}`,
    '',
    `**${headline(summary)}**`,
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
      `> ⛔ **${escaped(title)}**: ${escaped(what)}`,
      `> Way out: ${escaped(wayOut)}`,
      '',
    ]),
    ...risks(result),
  ]
}

export function markdownOf(result: WhatIf): string {
  const start = head(result)
  const map = [
    '<details><summary>Identity map</summary>',
    '',
    ...fenced('mermaid', mapOf(result)),
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
