/**
 * `npm run bench [users ...]`: one run, one table, medians. Ratios compare things measured in turn in this same run.
 * `users`: for how many the statistics are measured; 100, 10,000 and 100,000 when left out.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exchangeRows } from './bench/exchanges.ts'
import { productionRows, requestRows } from './bench/requests.ts'
import { startStage } from './bench/stage.ts'
import { startRows } from './bench/starts.ts'
import { statisticsRows } from './bench/statistics.ts'
import { type Row, table } from './bench/table.ts'
import { userRows } from './bench/users.ts'
import { whatIfRows } from './bench/whatif.ts'

const sizes = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'bench-'))
const stage = await startStage(folder)
const parts: [string, () => Promise<Row[]>][] = [
  ['requests', () => requestRows(stage)],
  ['users', () => userRows(stage)],
  ['production', () => productionRows(stage)],
  ['exchanges', exchangeRows],
  ['starts', () => startRows(stage, join(folder, 'caches'))],
  ['what-if', () => whatIfRows(join(folder, 'template'))],
  ['statistics', () => statisticsRows(folder, sizes.length > 0 ? sizes : [100, 10_000, 100_000])],
]
try {
  const rows: Row[] = []
  for (const [name, measure] of parts) {
    process.stderr.write(`${name} ...\n`)
    rows.push(...(await measure()))
  }
  console.log(table(rows))
  // A goal is a sentence of the documentation: a run that misses one says so to scripts too.
  if (rows.some(({ met }) => met === false)) process.exitCode = 1
} finally {
  await stage.close()
  rmSync(folder, { recursive: true })
}
