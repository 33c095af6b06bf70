#!/usr/bin/env node
/** The program of the package: `identity-what-if [map] [options]`, in any folder and without this repository. */
import { HELP, parseCommand } from '../whatif/command.ts'
import { runCommand } from '../whatif/run.ts'
import { surroundingsOf } from './surroundings.ts'
import { inOurWords } from './words.ts'

async function run(given: readonly string[]): Promise<number> {
  const command = parseCommand([...given], 'infra')
  const { parameters, environment, allowed } = command
  if (!command.isHelp) return runCommand(command, await surroundingsOf(parameters, { environment, allowed }))
  process.stdout.write(inOurWords(HELP))
  return 0
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  console.error(`\n✗ ${inOurWords(error instanceof Error ? error.message : String(error))}`)
  process.exitCode = 1
}
