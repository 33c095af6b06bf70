/** `npm run snapshots`: renews the committed predictions under tests/infra, one for each set of parameters. */
import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Target } from '../../scripts/bicep/compile.ts'
import { requireBicep } from '../../scripts/bicep/compiler.ts'
import { CONFIGURATION, currentConfiguration } from '../docs/configuration.ts'
import { currentReadme, README } from '../docs/tools-table.ts'
import { currentTroubleshooting, TROUBLESHOOTING } from '../docs/troubleshooting.ts'
import { currentPage, TABLE } from './permissions-table.ts'
import { type Prediction, predict } from './prediction.ts'

const FOLDER = new URL('./', import.meta.url)
const ParameterSets = z.record(z.string(), z.record(z.string(), z.string()))

const setsIn = async (file: string) =>
  ParameterSets.parse(JSON.parse(await readFile(new URL(file, FOLDER), 'utf8')))

/** Azd environments by name: what the template is tested with. */
export const parameterSets = await setsIn('parameter-sets.json')
/** The same for infra/pipeline.bicep. */
export const pipelineSets = await setsIn('pipeline-sets.json')
/** Made-up ids: names are derived from them, nothing is deployed to them. */
export const target: Target = {
  subscriptionId: '11111111-1111-4111-8111-111111111111',
  tenantId: '22222222-2222-4222-8222-222222222222',
}

export const snapshotFile = (name: string): URL => new URL(`${name}.snapshot.json`, FOLDER)
export const asText = (prediction: Prediction): string => `${JSON.stringify(prediction, undefined, 2)}\n`

if (import.meta.main && process.argv.length > 2) {
  // It writes ten files: whoever asks something else of it is told, and nothing is written.
  console.log(
    'npm run snapshots\nRenews tests/infra/*.snapshot.json, docs/permissions.md, the tables of docs/configuration.md and docs/troubleshooting.md, and the tools in README.md, from what the compiler predicts.',
  )
  process.exitCode = process.argv[2] === '--help' ? 0 : 1
} else if (import.meta.main) {
  const compiler = requireBicep()
  console.log(`Compiler: ${compiler.path} (${compiler.from})`)
  const written = new Map<string, string>()
  const table = { main: parameterSets, pipeline: pipelineSets }
  for (const [template, sets] of Object.entries(table)) {
    for (const [name, environment] of Object.entries(sets))
      written.set(name, asText(await predict(environment, target, template)))
  }
  // All or none: a page that cannot be written is known before the first file is.
  const page = await currentPage(written.get('defaults'))
  const configuration = await currentConfiguration()
  for (const [name, text] of written) {
    await writeFile(snapshotFile(name), text)
    console.log(`tests/infra/${name}.snapshot.json`)
  }
  await writeFile(TABLE, page)
  console.log('docs/permissions.md')
  await writeFile(CONFIGURATION, configuration)
  console.log('docs/configuration.md')
  await writeFile(TROUBLESHOOTING, await currentTroubleshooting())
  console.log('docs/troubleshooting.md')
  await writeFile(README, await currentReadme())
  console.log('README.md')
}
