#!/usr/bin/env node
/** The program of the package: `identity-what-if [map] [options]`, in any folder and without this repository. */
import { HELP, parseCommand } from '../whatif/command.ts'
import { runCommand } from '../whatif/run.ts'
import { surroundingsOf } from './surroundings.ts'

// The same words as in this repository, but for how it is called.
const inOurWords = (text: string) =>
  text
    .replaceAll('npm run whatif [-- options]', 'identity-what-if [map] [options]')
    .replaceAll('npm run whatif -- ', 'identity-what-if ')
    .replaceAll(
      'Signs in as azd does.',
      'Signs in with IDENTITY_WHAT_IF_TOKEN, else as azd does, else as the Azure CLI does.',
    )

async function run(given: readonly string[]): Promise<number> {
  const command = parseCommand([...given], 'infra')
  if (!command.isHelp)
    return runCommand(command, await surroundingsOf(command.parameters, command.environment))
  process.stdout.write(inOurWords(HELP))
  return 0
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  console.error(`\n✗ ${inOurWords(error instanceof Error ? error.message : String(error))}`)
  process.exitCode = 1
}
