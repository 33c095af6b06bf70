/** The views of the workbook as a page, each in the visualization that it names; the portal draws them its own way. */
import { type Html, html } from '../../scripts/emulators/entra/page.ts'
import type { Row } from '../infra/kql.ts'
import type { View } from '../infra/workbook.ts'

/** Milliseconds since 1970. */
type Range = Readonly<{ from: number; to: number }>
export type Shown = Readonly<{ view: Pick<View, 'title' | 'visualization'>; rows: readonly Row[] }>

const HOUR_MS = 3_600_000
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 190, 34, 20]
/** Okabe and Ito's colours, which the colour-blind can tell apart; darker where the page is light. */
const COLOURS = [
  ['#0072b2', '#56b4e9'],
  ['#c14f00', '#e69f00'],
  ['#00795a', '#2fd1a5'],
  ['#a84a82', '#e79ac6'],
  ['#6b6b00', '#f0e442'],
  ['#555555', '#bbbbbb'],
] as const

const style = `
body { color-scheme: light dark; margin: 0; padding: 20px; width: 1320px; display: grid; grid-template-columns: 11fr 14fr; gap: 16px;
  background: light-dark(#f3f2f1, #111); color: light-dark(#1f2328, #f0f6fc); font: 12px/1.4 "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
section { background: light-dark(#fff, #1b1a19); border: 1px solid light-dark(#d1d9e0, #3d444d); border-radius: 4px; padding: 12px; overflow: hidden }
h2 { font-size: 14px; margin: 0 0 8px }
svg { display: block; width: 100%; fill: currentColor; font-size: 11px }
line { stroke: light-dark(#e1e4e8, #3d444d) }
polyline { fill: none; stroke: currentColor; stroke-width: 2 }
ul { list-style: none; display: flex; gap: 8px; white-space: nowrap; margin: 6px 0 0; padding: 0 }
li::before { content: "■ "; color: var(--colour) }
table { border-collapse: collapse; width: 100%; white-space: nowrap }
th, td { border-bottom: 1px solid light-dark(#e1e4e8, #3d444d); padding: 4px 8px 4px 0; text-align: start; font-variant-numeric: tabular-nums }
td { max-width: 150px; overflow: hidden; text-overflow: ellipsis }
td:first-child { max-width: 440px }
.number { text-align: end }
${COLOURS.map(([light, dark], index) => `.s${index} { --colour: light-dark(${light}, ${dark}); color: var(--colour) }`).join('\n')}
li { color: inherit !important }
`

type Point = Readonly<{ time: number; value: number }>
type Series = Readonly<{ name: string; total: number; points: readonly Point[] }>

/** "x-axis" is the time, "y-axis" the number, and "a series per value" of the text (azure-monitor/visualize/workbooks-chart-visualizations). */
function seriesOf(rows: readonly Row[]): Series[] {
  const points = rows.map((row) => {
    const values = Object.values(row)
    const [time, value, name] = [
      values.find((one) => one instanceof Date),
      values.find((one) => typeof one === 'number'),
      values.find((one) => typeof one === 'string'),
    ]
    if (!time || value === undefined || name === undefined || values.length !== 3)
      throw new Error('A chart is of a time, a number and a text.')
    return { name, time: time.getTime(), value }
  })
  return [...Map.groupBy(points, ({ name }) => name)]
    .map(([name, own]) => ({
      name,
      total: own.reduce((sum, { value }) => sum + value, 0),
      points: own.toSorted((a, b) => a.time - b.time),
    }))
    .toSorted((a, b) => b.total - a.total)
}

/** The next of 1, 2, 5, 10, 20, 50 …, four of which are above the highest. */
function stepTo(highest: number): number {
  const least = Math.max(1, highest / 4)
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power
}

const put = (number: number) => number.toFixed(1)
const clock = (time: number) => new Date(time).toISOString().slice(11, 16)

/** Where times and numbers are, and the lines and words that say so. */
function axes({ from, to }: Range, highest: number) {
  const step = stepTo(highest)
  const top = step * Math.max(1, Math.ceil(highest / step))
  const x = (time: number) => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT)
  const y = (value: number) => (1 - value / top) * (HEIGHT - BOTTOM - 8) + 8
  const levels = Array.from({ length: top / step + 1 }, (_, index) => index * step)
  const hours = Array.from({ length: (to - from) / (4 * HOUR_MS) }, (_, index) => from + index * 4 * HOUR_MS)
  const marks = [
    ...levels.map(
      (level) =>
        html`<line x1="${put(LEFT)}" x2="${put(WIDTH)}" y1="${put(y(level))}" y2="${put(y(level))}"/><text x="${put(LEFT - 6)}" y="${put(y(level) + 4)}" text-anchor="end">${String(level)}</text>`,
    ),
    ...hours.map((time) => html`<text x="${put(x(time))}" y="${put(HEIGHT - 4)}">${clock(time)}</text>`),
  ]
  return { x, y, marks }
}

/** Bars of the same time stand on each other. */
function bars(all: readonly Series[], range: Range): Html {
  const heights = new Map<number, number>()
  const stacked = all.map(({ points }) =>
    points.map(({ time, value }) => {
      const below = heights.get(time) ?? 0
      heights.set(time, below + value)
      return { time, below, above: below + value }
    }),
  )
  const times = [...heights.keys()].toSorted((a, b) => a - b)
  const bin = Math.min(HOUR_MS, ...times.slice(1).map((time, index) => time - (times[index] ?? 0)))
  const { x, y, marks } = axes(range, Math.max(0, ...heights.values()))
  const width = x(range.from + bin) - x(range.from) - 2
  const shapes = stacked.flatMap((boxes, index) =>
    boxes.map(
      ({ time, below, above }) =>
        html`<rect class="s${String(index)}" fill="currentColor" x="${put(x(time) + 1)}" width="${put(width)}" y="${put(y(above))}" height="${put(y(below) - y(above))}"/>`,
    ),
  )
  return html`${marks}${shapes}`
}

/** From each point to the next; a time of which there is no row is no point. */
function lines(all: readonly Series[], range: Range): Html {
  const highest = Math.max(0, ...all.flatMap(({ points }) => points.map(({ value }) => value)))
  const { x, y, marks } = axes(range, highest)
  const shapes = all.map(({ points }, index) => {
    const places = points.map(({ time, value }) => [put(x(time)), put(y(value))] as const)
    const dots = places.map(([cx, cy]) => html`<circle cx="${cx}" cy="${cy}" r="2.5"/>`)
    return html`<g class="s${String(index)}" fill="currentColor"><polyline points="${places.map((place) => place.join(',')).join(' ')}"/>${dots}</g>`
  })
  return html`${marks}${shapes}`
}

function chart(rows: readonly Row[], range: Range, draw: typeof bars): Html {
  const all = seriesOf(rows)
  if (all.length > COLOURS.length) throw new Error('There are more series than colours.')
  const names = all.map(
    ({ name, total }, index) => html`<li class="s${String(index)}">${name} <b>${String(total)}</b></li>`,
  )
  return html`<svg viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}">${draw(all, range)}</svg><ul>${names}</ul>`
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString().slice(0, 16).replace('T', ' ')
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : String(value)
}

function table(rows: readonly Row[]): Html {
  const kind = (value: unknown) => (typeof value === 'number' ? 'number' : 'text')
  const head = Object.entries(rows[0] ?? {}).map(
    ([name, value]) => html`<th class="${kind(value)}">${name}</th>`,
  )
  const body = rows.map((row) => {
    const cells = Object.values(row).map((value) => html`<td class="${kind(value)}">${textOf(value)}</td>`)
    return html`<tr>${cells}</tr>`
  })
  return html`<table><tr>${head}</tr>${body}</table>`
}

const DRAWINGS: Record<View['visualization'], (rows: readonly Row[], range: Range) => Html> = {
  barchart: (rows, range) => chart(rows, range, bars),
  linechart: (rows, range) => chart(rows, range, lines),
  table,
}

export function chartsPage(all: readonly Shown[], range: Range): string {
  const sections = all.map(
    ({ view, rows }) =>
      html`<section><h2>${view.title}</h2>${DRAWINGS[view.visualization](rows, range)}</section>`,
  )
  return `<!doctype html><meta charset="utf-8"><style>${style}</style>${sections.map(({ text }) => text).join('\n')}`
}
