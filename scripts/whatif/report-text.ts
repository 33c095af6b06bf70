/** The report for a terminal. */
import { Unknown, type Value } from '../bicep/value.ts'
import { WORDS, wordOf } from './actual-state.ts'
import type { Change, Graded } from './changes.ts'
import { isObject } from './properties.ts'
import { type Summary, summarize, writeHeadline } from './report.ts'
import { GRADES, type Grade } from './risk.ts'
import { whereIs } from './unreadable.ts'
import type { WhatIf } from './whatif.ts'

// Green, red, yellow, magenta and dim. Node 20.11 has no util.styleText yet.
const STYLES = { add: 32, remove: 31, change: 33, danger: 35, quiet: 2 } as const
type Paint = (style: keyof typeof STYLES, text: string) => string

/** Paints with ANSI codes, or leaves everything as it is. */
export const choosePaint =
  (isOn: boolean): Paint =>
  (style, text) =>
    isOn ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text

export const SIGNS = { add: '+', remove: '-', change: '~', create: '+', update: '~' } as const

/** JSON without control characters: nothing in a name can move the cursor or look like a line of ours. */
export function showValue(value: Value | undefined): string {
  if (value instanceof Unknown) return `${JSON.stringify(value.text)} (known after deployment)`
  const text = JSON.stringify(value) ?? 'nothing'
  return text.replaceAll(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A name from the directory, on one line and without quotes. */
export const showName = (name: string): string =>
  showValue(name).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\')

const valueText = ({ before, after }: Graded): string =>
  [before, after]
    .filter((one) => one !== undefined)
    .map(showValue)
    .join(' -> ')

/** What differs, on one line. */
export const showProperty = (one: Graded): string => `${SIGNS[one.action]} ${one.path}: ${valueText(one)}`

/** An object that comes or goes, one property a line. */
function partsOf({ action, before, after }: Graded): string[] {
  const value = action === 'add' ? after : action === 'remove' ? before : undefined
  if (!isObject(value)) return []
  return Object.entries(value).map(([name, one]) => `          ${showName(name)}: ${showValue(one)}`)
}

const MARKS: Record<Grade, string> = { high: '[HIGH]', medium: '[medium]', low: '' }

/** The line below a finding; of low risk without a mark. */
function reasonLine(grade: Grade, reason: string, paint: Paint): string {
  const mark = grade === 'low' ? '' : `${paint(grade === 'high' ? 'danger' : 'change', MARKS[grade])} `
  return `          ${mark}${showName(reason)}`
}

function propertyLines(property: Graded, paint: Paint): string[] {
  const { grade, reason } = property.risk
  const inner = partsOf(property)
  const value = inner.length > 0 ? '' : `: ${valueText(property)}`
  const lines = [
    `      ${paint(property.action, SIGNS[property.action])} ${showName(property.path)}${value}`,
    ...inner,
  ]
  return grade === 'low' ? lines : [...lines, reasonLine(grade, reason, paint)]
}

function changeLines(change: Change, result: WhatIf, paint: Paint): string[] {
  const sign = paint(change.action === 'create' ? 'add' : 'change', SIGNS[change.action])
  const by = change.by === 'hook' ? ', by a hook' : ''
  const where = change.symbols.length > 0 ? `  # ${change.symbols.join(', ')}` : ''
  const from = result.orphans.find(({ renamedTo }) => renamedTo === change.key)
  const verb = change.action === 'create' ? 'will be created' : 'will be changed'
  const head = `  ${sign} ${WORDS[change.type]} "${showName(change.title)}" ${verb}${by}${paint('quiet', where)}`
  const rename =
    from &&
    `      renamed from ${showName(from.uniqueName ?? from.id)}: a unique name cannot change, so this is a new object`
  return [
    head,
    ...(rename ? [rename] : []),
    ...change.properties.flatMap((one) => propertyLines(one, paint)),
    '',
  ]
}

const section = (title: string, lines: string[]) => (lines.length > 0 ? [title, ...lines, ''] : [])

const plan = ({ create, update, orphans, unmanaged }: Summary) =>
  `Plan: ${create} to create, ${update} to change, ${orphans} left behind, ${unmanaged} unmanaged.`
const riskLine = ({ risks }: Summary) =>
  `Risk: ${GRADES.toReversed()
    .map((grade) => `${risks[grade]} ${grade}`)
    .join(', ')}.`

/** Changes, what is unmanaged, and a line of numbers at the end. */
export function renderText(result: WhatIf, isColoured: boolean): string {
  const paint = choosePaint(isColoured)
  const summary = summarize(result)
  const blockers = result.blockers.map(
    ({ title, what, wayOut }) =>
      `  ${paint('danger', '!')} ${showName(title)}: ${showName(what)}\n      way out: ${showName(wayOut)}`,
  )
  const unreadable = result.unreadable.map((one) => {
    const head = `  ${paint('danger', '!')} ${wordOf(one.type)} "${showName(one.title)}"  # ${showName(whereIs(one))}`
    return `${head}\n${reasonLine(one.grade, one.reason, paint)}`
  })
  const orphans = result.orphans.map(
    ({ type, title, uniqueName, id }) =>
      `  ${paint('quiet', '?')} ${WORDS[type]} "${showName(title)}" (${showName(uniqueName ?? id)})`,
  )
  const pending = result.pending.map(({ title, path, text, risk: { grade, reason } }) => {
    const line = `  ${showName(title)}${path ? `, ${showName(path)}` : ''}: ${showName(text)}`
    return grade === 'low' ? line : `${line}\n${reasonLine(grade, reason, paint)}`
  })
  const unmanaged = result.unmanaged.flatMap(({ type, title, kind, value, grade, reason }) => [
    `  ${paint('danger', '!')} ${WORDS[type]} "${showName(title)}", ${showName(kind)}: ${showName(value)}`,
    reasonLine(grade, reason, paint),
  ])
  const accepted = result.accepted.map(
    ({ title, kind, value, why }) =>
      `  ${showName(title)}, ${showName(kind)}: ${showName(value)} (${showName(why)})`,
  )
  const sentences = (all: string[]) => all.map((one) => `  ${showName(one)}`)
  const lines = [
    `Identity what-if${result.environment && ` of azd environment ${showName(result.environment)}`} in tenant ${result.tenantId}`,
    '',
    ...section('Will fail:', blockers),
    ...section('Could not be read (what it would change is not known):', unreadable),
    ...result.changes.flatMap((change) => changeLines(change, result, paint)),
    ...section(
      'Left behind (tagged for this environment, no longer declared; a deployment never deletes):',
      orphans,
    ),
    ...section('Known after deployment (neither a change nor no change):', pending),
    ...section('Unmanaged (there and not declared; a deployment leaves it):', unmanaged),
    ...section('Accepted exceptions:', accepted),
    ...section('Exceptions that count for nothing:', sentences(result.stale)),
    ...section('Could not be told:', sentences(result.notes)),
    writeHeadline(summary),
    ...(summary.result === 'none' ? [] : [plan(summary), riskLine(summary)]),
  ]
  return `${lines.join('\n')}\n`
}
