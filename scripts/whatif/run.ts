/** One run of the what-if, from its command to its exit code: what the script of this repository and the package share. */
import type { Command } from './command.ts'
import { loadDeclared, type Question } from './load.ts'
import { decideExitCode, renderJson } from './report.ts'
import { renderMap } from './report-map.ts'
import { renderMarkdown } from './report-markdown.ts'
import { renderSarif } from './report-sarif.ts'
import { renderText } from './report-text.ts'
import { askWhatIf, prepareStates, type Surroundings, type WhatIf } from './whatif.ts'

/** @env FORCE_COLOR, NO_COLOR Colours in the text of `npm run whatif`: `FORCE_COLOR` turns them on (`0`: off), `NO_COLOR` turns them off. By default, only a terminal gets colours. */
const isColoured = () => {
  const { FORCE_COLOR, NO_COLOR } = process.env
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0'
  return process.stdout.isTTY === true && !NO_COLOR
}

const FORMATS: Record<Command['format'], (result: WhatIf) => string> = {
  text: (result) => renderText(result, isColoured()),
  markdown: renderMarkdown,
  json: renderJson,
  sarif: renderSarif,
}

/** Prints what was asked for; returns the exit code. */
export async function runCommand(
  command: Command,
  context: Surroundings,
  further?: Question['further'],
): Promise<number> {
  const question = { ...command, ...(further && { further }) }
  if (command.isMap) {
    const declared = await loadDeclared(context, question, false)
    process.stdout.write(renderMap({ ...prepareStates(declared), changes: [] }))
    return 0
  }
  const result = await askWhatIf(context, question)
  process.stdout.write(FORMATS[command.format](result))
  return decideExitCode(result, command.failOn)
}
