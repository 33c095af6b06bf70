#!/usr/bin/env node
/** The program of the package: `identity-what-if [map] [options]`, in any folder and without this repository. */
import { HELP, parseCommand } from '../whatif/command.ts'
import { runCommand } from '../whatif/run.ts'
import { surroundingsOf } from './surroundings.ts'
import { inOurWords } from './words.ts'

try {
  const command = parseCommand(process.argv.slice(2), 'infra')
  const { parameters, environment, allowed } = command
  if (command.isHelp) process.stdout.write(inOurWords(HELP))
  else
    process.exitCode = await runCommand(command, await surroundingsOf(parameters, { environment, allowed }))
} catch (error) {
  console.error(`\n✗ ${inOurWords(error instanceof Error ? error.message : String(error))}`)
  process.exitCode = 1
}
