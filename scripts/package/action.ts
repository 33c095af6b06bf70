/** One run for the GitHub action: step summary, outputs, SARIF and, where allowed, one sticky comment. */
import { appendFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { findPlaces } from '../bicep/places.ts'
import { parseCommand } from '../whatif/load.ts'
import { decideExitCode, renderJson, summarize } from '../whatif/report.ts'
import { renderMarkdown } from '../whatif/report-markdown.ts'
import { renderSarif } from '../whatif/report-sarif.ts'
import { askWhatIf, type WhatIf } from '../whatif/whatif.ts'
import { type Pull, saveComment } from './comment.ts'
import { surroundingsOf } from './surroundings.ts'

const Inputs = z.object({
  FOLDER: z.string().min(1),
  PARAMETERS: z.string().optional(),
  LEVEL: z.string().default('high'),
  FAIL: z.enum(['true', 'false']).default('true'),
  COMMENT: z.enum(['true', 'false']).default('true'),
  EXCEPTIONS: z.string().optional(),
  DESIRED: z.string().optional(),
  OUT: z.string().min(1),
  GITHUB_STEP_SUMMARY: z.string(),
  GITHUB_OUTPUT: z.string(),
  GITHUB_REPOSITORY: z.string(),
  GITHUB_API_URL: z.url().default('https://api.github.com'),
  GH_TOKEN: z.string().optional(),
  PULL_REQUEST: z.coerce.number().int().positive().optional(),
})
type Inputs = z.infer<typeof Inputs>

const option = (name: string, value: string | undefined) => (value ? [`--${name}`, value] : [])

async function writeFiles(result: WhatIf, parameters: string, out: string): Promise<void> {
  await writeFile(join(out, 'identity-what-if.json'), renderJson(result))
  await writeFile(join(out, 'identity-what-if.sarif'), renderSarif(result, findPlaces(dirname(parameters))))
  await writeFile(join(out, 'identity-what-if.md'), renderMarkdown(result))
}

/** Only in a pull request, and only where the job may. */
function pullOf({ COMMENT, GH_TOKEN, PULL_REQUEST, ...rest }: Inputs): Pull | undefined {
  if (COMMENT === 'false' || !GH_TOKEN || !PULL_REQUEST) return undefined
  return {
    api: rest.GITHUB_API_URL,
    repository: rest.GITHUB_REPOSITORY,
    number: PULL_REQUEST,
    token: GH_TOKEN,
  }
}

async function run(): Promise<number> {
  const set = Object.entries(process.env).filter(([, value]) => value !== '')
  const inputs = Inputs.parse(Object.fromEntries(set))
  const args = [
    ...['--parameters', inputs.PARAMETERS ?? join(inputs.FOLDER, 'main.bicepparam')],
    ...option('fail-on', inputs.LEVEL),
    ...option('exceptions', inputs.EXCEPTIONS),
    ...option('desired', inputs.DESIRED),
  ]
  const command = parseCommand(args)
  const result = await askWhatIf(await surroundingsOf(command.parameters), command)
  const code = decideExitCode(result, command.failOn)
  const { risks, create, update, blockers, unmanaged } = summarize(result)
  const outputs = { 'exit-code': code, ...risks, create, update, blockers, unmanaged }
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`)
  await writeFiles(result, command.parameters, inputs.OUT)
  await appendFile(inputs.GITHUB_OUTPUT, lines.join(''))
  await appendFile(inputs.GITHUB_STEP_SUMMARY, `${renderMarkdown(result)}\n`)
  const pull = pullOf(inputs)
  console.log(pull ? await saveComment(pull, renderMarkdown(result)) : 'No comment: not in a pull request.')
  return inputs.FAIL === 'true' ? code : 0
}

try {
  process.exitCode = await run()
} catch (error) {
  const text = error instanceof Error ? error.message : String(error)
  // A workflow command ends at its line.
  console.error(`\n✗ ${text}\n::error title=identity-what-if::${text.split('\n')[0]}`)
  if (process.env.GITHUB_OUTPUT) await appendFile(process.env.GITHUB_OUTPUT, 'exit-code=1\n')
  process.exitCode = 1
}
