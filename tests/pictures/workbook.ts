/** What the workbook shows of a recorded day. */
import { evaluate, type Row, tableOf } from '../infra/kql.ts'
import { queryOf, readWorkbook, type View } from '../infra/workbook.ts'
import { chartsPage } from './charts.ts'
import { type Day, MIDNIGHT, recordDay, SERVER } from './day.ts'

const { views, range } = readWorkbook()

let recorded: Promise<Day> | undefined
/** The same one each time: it is asked for in light, in dark and to note what is shown. */
export const theDay = (): Promise<Day> => {
  recorded ??= recordDay()
  return recorded
}

/** A view's rows at the end of the day; the workbook asks for no older ones (`timeContextFromParameter`). */
export function rowsOf(view: Pick<View, 'query'>, day: Day): Row[] {
  const query = queryOf(view, SERVER, range)
  const [, rows] = Object.entries(day).find(([table]) => table === tableOf(query)) ?? []
  if (!rows) throw new Error(`Nothing is recorded for the table ${tableOf(query)}.`)
  return evaluate(query, rows)
}

export async function workbookPage(): Promise<string> {
  const day = await theDay()
  const shown = views.map((view) => ({ view, rows: rowsOf(view, day) }))
  return chartsPage(shown, { from: MIDNIGHT, to: MIDNIGHT + range })
}

/** Where in the code an error was thrown moves with each line above it. */
const PLACE = /\.ts:\d+:\d+/g

/**
 * How often it was, and how long it took, differs a little from run to run, and with it the order; what is rare may
 * have come too early for telemetry.
 */
export function leaveOutMeasured(rows: readonly Row[]): Row[] {
  const often = rows.filter(({ calls, times }) => Number(calls ?? times) >= 5)
  return often
    .map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => typeof value === 'string')))
    .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
}

/** What is the same each time that the day is lived. */
export async function describeWorkbook(): Promise<string> {
  const day = await theDay()
  const shown = views.map((view) => {
    const rows = rowsOf(view, day)
    return { ...view, rows: view.query.startsWith('App') ? leaveOutMeasured(rows) : rows }
  })
  return JSON.stringify(shown).replaceAll(PLACE, '.ts')
}
