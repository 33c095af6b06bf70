#!/usr/bin/env node
/** The program of the package: `identity-what-if [map] [options]`, in any folder and without this repository. */
import { join } from 'node:path'
import { isPipeline } from '../cli/parameters.ts'
import { HELP, parseCommand } from '../whatif/load.ts'
import { runCommand } from '../whatif/run.ts'
import { guardFiles } from './guard.ts'
import { surroundingsOf } from './surroundings.ts'
import { inOurWords } from './words.ts'

async function run(given: readonly string[]): Promise<number> {
  const args = given[0] === 'map' ? ['--map', ...given.slice(1)] : [...given]
  const command = parseCommand(args, join(process.cwd(), 'infra', 'main.bicepparam'))
  if (command.isHelp) {
    process.stdout.write(inOurWords(HELP))
    return 0
  }
  // A person may read what they may read; a pull request brings a template of somebody else.
  if (isPipeline(process.env.CI ?? process.env.TF_BUILD)) await guardFiles(process.cwd(), command.parameters)
  return runCommand(command, await surroundingsOf(command.parameters, command.environment))
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  console.error(`\n✗ ${inOurWords(error instanceof Error ? error.message : String(error))}`)
  process.exitCode = 1
}
