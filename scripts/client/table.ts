/** Structured content of a tool as tables for people. */

type Row = Readonly<Record<string, unknown>>

/** What others wrote must not move the cursor or turn the text around; line breaks stay. */
export const printable = (text: string): string =>
  text.replace(/(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`)

const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isRows = (value: unknown): value is Row[] => Array.isArray(value) && value.every(isRow)

function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return printable(text).replaceAll('\n', '\\n')
}

/** Columns in the order in which they first appear; numbers to the right. */
export function table(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(Object.keys))]
  const columns = names.map((name) => {
    const cells = [cell(name), ...rows.map((row) => cell(row[name]))]
    const width = Math.max(...cells.map(({ length }) => length))
    const isNumeric = rows.every((row) => ['number', 'undefined'].includes(typeof row[name]))
    return cells.map((text) => (isNumeric ? text.padStart(width) : text.padEnd(width)))
  })
  return [undefined, ...rows]
    .map((_, line) =>
      columns
        .map((cells) => cells[line])
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A table, or one block for each row where a line of the table is longer than `width`. */
export function fitted(rows: readonly Row[], width = Number.POSITIVE_INFINITY): string {
  const wide = table(rows)
  if (wide.split('\n').every(({ length }) => length <= width)) return wide
  const blocks = rows.map((row) => Object.values(row).map(cell).filter(Boolean).join('\n  '))
  return blocks.join('\n\n')
}

/** Single values first, then one table for each list and for each group of things. */
export function tables(content: object): string {
  const values: string[] = []
  const parts: string[] = []
  for (const [name, value] of Object.entries(content)) {
    if (isRow(value) || isRows(value)) parts.push(`${cell(name)}\n${part(value)}`)
    else values.push(`${cell(name)}: ${cell(value)}`)
  }
  return [...(values.length > 0 ? [values.join('\n')] : []), ...parts].join('\n\n')
}

function part(value: Row | Row[]): string {
  if (isRows(value)) return value.length > 0 ? table(value) : '(none)'
  const things = Object.entries(value)
  const isGroup = things.length > 0 && things.every(([, thing]) => isRow(thing))
  return table(isGroup ? things.map(([name, thing]) => ({ '': name, ...(isRow(thing) && thing) })) : [value])
}
