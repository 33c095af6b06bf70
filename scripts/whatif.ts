/** What would a deployment change in the directory? Nothing is changed by asking. */

import { NEW_ENVIRONMENT } from './cli/environment.ts'
import { Problem } from './cli/problem.ts'
import { explain } from './cli/remedies.ts'
import { contextOf } from './cli/script.ts'
import { DirectoryError } from './graph/directory-error.ts'
import { type Command, commandOf, HELP } from './whatif/command.ts'
import { jsonOf } from './whatif/json.ts'
import { mapOf } from './whatif/map.ts'
import { markdownOf } from './whatif/markdown.ts'
import { declaredIn, PARAMETERS, whatIfOf } from './whatif/question.ts'
import { exitCodeOf } from './whatif/summary.ts'
import { textOf } from './whatif/text.ts'
import { type WhatIf, wantedOf } from './whatif/whatif.ts'

const isColoured = () => {
  const { FORCE_COLOR, NO_COLOR } = process.env
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0'
  return process.stdout.isTTY === true && !NO_COLOR
}

const FORMATS: Record<Command['format'], (result: WhatIf) => string> = {
  text: (result) => textOf(result, isColoured()),
  markdown: markdownOf,
  json: jsonOf,
}

async function run(): Promise<number> {
  const command = commandOf(process.argv.slice(2), PARAMETERS)
  if (command.isHelp) {
    process.stdout.write(HELP)
    return 0
  }
  // What is declared can be drawn before azd is installed, or an environment made.
  const context = await contextOf(command.environment, command.isMap ? NEW_ENVIRONMENT : undefined)
  if (command.isMap) {
    const declared = await declaredIn(context, command.parameters, false)
    process.stdout.write(mapOf({ ...wantedOf(declared), changes: [] }))
    return 0
  }
  const result = await whatIfOf(context, command)
  process.stdout.write(FORMATS[command.format](result))
  return exitCodeOf(result, command.failOn)
}

try {
  process.exitCode = await run()
} catch (error) {
  // Other errors end with their own way out; a cause for the hooks would mislead.
  const isKnown = error instanceof DirectoryError || error instanceof Problem || !(error instanceof Error)
  console.error(`\n✗ ${isKnown ? explain(error) : error.message}`)
  process.exitCode = 1
}
