/** `npm run bench`: one run, one table, medians. Ratios compare things measured in turn in this same run. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exchangeRows } from './bench/exchanges.ts'
import { requestRows } from './bench/requests.ts'
import { startRows } from './bench/starts.ts'
import { statisticsRows } from './bench/statistics.ts'
import { table } from './bench/table.ts'

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
try {
  execFileSync(process.execPath, [fileURLToPath(new URL('build.ts', import.meta.url)), folder])
  const bundle = join(folder, 'app/server.js')
  const rows = [
    ...(await requestRows(bundle)),
    ...(await exchangeRows()),
    ...(await startRows(bundle, join(folder, 'cache'))),
    ...(await statisticsRows()),
  ]
  console.log(table(rows))
  // A goal is a sentence of the README: a run that misses one says so to scripts too.
  if (rows.some(({ met }) => met === false)) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
