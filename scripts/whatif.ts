/** What would a deployment change in the directory? Nothing is changed by asking. */

import { NEW_ENVIRONMENT } from './cli/environment.ts'
import { Problem } from './cli/problem.ts'
import { explain } from './cli/remedies.ts'
import { contextOf } from './cli/script.ts'
import { DirectoryError } from './graph/directory-error.ts'
import { type Command, HELP, loadDeclared, parseCommand } from './whatif/load.ts'
import { decideExitCode, renderJson } from './whatif/report.ts'
import { renderMap } from './whatif/report-map.ts'
import { renderMarkdown } from './whatif/report-markdown.ts'
import { renderText } from './whatif/report-text.ts'
import { askWhatIf, prepareStates, type WhatIf } from './whatif/whatif.ts'

const isColoured = () => {
  const { FORCE_COLOR, NO_COLOR } = process.env
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0'
  return process.stdout.isTTY === true && !NO_COLOR
}

const FORMATS: Record<Command['format'], (result: WhatIf) => string> = {
  text: (result) => renderText(result, isColoured()),
  markdown: renderMarkdown,
  json: renderJson,
}

async function run(): Promise<number> {
  const command = parseCommand(process.argv.slice(2))
  if (command.isHelp) {
    process.stdout.write(HELP)
    return 0
  }
  // What is declared can be drawn before azd is installed, or an environment made.
  const context = await contextOf(command.environment, command.isMap ? NEW_ENVIRONMENT : undefined)
  if (command.isMap) {
    const declared = await loadDeclared(context, command.parameters, false)
    process.stdout.write(renderMap({ ...prepareStates(declared), changes: [] }))
    return 0
  }
  const result = await askWhatIf(context, command)
  process.stdout.write(FORMATS[command.format](result))
  return decideExitCode(result, command.failOn)
}

try {
  process.exitCode = await run()
} catch (error) {
  // Other errors end with their own way out; a cause for the hooks would mislead.
  const isKnown = error instanceof DirectoryError || error instanceof Problem || !(error instanceof Error)
  console.error(`\n✗ ${isKnown ? explain(error) : error.message}`)
  process.exitCode = 1
}
