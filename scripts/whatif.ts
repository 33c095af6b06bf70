/** What would a deployment and its hooks change in the directory? Nothing is changed by asking. */

import { NEW_ENVIRONMENT } from './cli/environment.ts'
import { Problem } from './cli/problem.ts'
import { explain } from './cli/remedies.ts'
import { contextOf } from './cli/script.ts'
import { DirectoryError } from './graph/directory-error.ts'
import { hookObjects } from './identity/hook-objects.ts'
import { HELP, parseCommand } from './whatif/command.ts'
import { runCommand } from './whatif/run.ts'

try {
  const command = parseCommand(process.argv.slice(2))
  if (command.isHelp) process.stdout.write(HELP)
  else {
    // What is declared can be drawn before azd is installed, or an environment made.
    const context = await contextOf(command.environment, command.isMap ? NEW_ENVIRONMENT : undefined)
    process.exitCode = await runCommand(command, context, hookObjects(context, command.parameters))
  }
} catch (error) {
  // Other errors end with their own way out; a cause for the hooks would mislead.
  const isKnown = error instanceof DirectoryError || error instanceof Problem || !(error instanceof Error)
  console.error(`\n✗ ${isKnown ? explain(error) : error.message}`)
  process.exitCode = 1
}
