export type Row = Readonly<{ what: string; measured: string; goal?: string; met?: boolean }>

/** One line per row, columns aligned; a missed goal is marked. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ['what', 'measured (median)', 'goal', ''],
    ...rows.map(({ what, measured, goal = '', met }) => [
      what,
      measured,
      goal,
      met === undefined ? '' : met ? 'met' : 'MISSED',
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
