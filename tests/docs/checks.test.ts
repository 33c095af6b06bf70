import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { commandsIn } from './blocks.ts'
import { isClassified, runsCommand, takesBlock } from './classify-block.ts'
import { checkCloudCommand } from './cloud-commands.ts'
import { assertShown } from './compare-output.ts'
import { checkOwnCommand } from './own-commands.ts'

const ID = 'a0111a00-5093-4e42-b155-43af70edc205'
const OTHER = 'b0b00000-2d60-4b1f-9e22-107c4d8baf02'

describe('A block', () => {
  const block = (lang: string, text: string) => ({
    page: 'docs/new.md',
    section: '',
    lang,
    text,
    first: text,
  })

  it('in no class is refused', () => {
    for (const [lang, text] of [
      ['text', 'anything'],
      ['json', '{}'],
      ['ts', 'const a = 1'],
      ['sh', 'npm run verify\ncurl https://contoso.example'],
      ['console', 'no prompt'],
      ['yaml', 'a: b'],
      ['', 'npm start'],
    ] as const)
      assert.ok(!isClassified(block(lang, text)), `${lang}: ${text}`)
  })

  it('of commands that are run or left out with a reason, and of what has a reader, is taken', () => {
    assert.ok(isClassified(block('sh', 'npm ci && npm start   # all')))
    assert.ok(isClassified(block('mermaid', 'flowchart LR')))
    assert.ok(isClassified(block('yaml', '- uses: a/b@c')))
  })
})

describe('A test', () => {
  it('runs a command only where it hands it to what runs it', () => {
    for (const code of [
      'await run(RUN.whatif)',
      "run('Alice', RUN.whatif, more)",
      'const { args } = callIn(RUN.whatif)',
    ])
      assert.ok(runsCommand(code, 'whatif'), code)
    for (const code of [
      '// await run(RUN.whatif)',
      '/* run(RUN.whatif) */',
      "it('runs RUN.whatif')",
      "it('runs npm run whatif')",
      'assert.equal(RUN.whatif, text)',
      'run(RUN.whatifs)',
    ])
      assert.ok(!runsCommand(code, 'whatif'), code)
  })

  it('knows a block only where it takes it from the page', () => {
    for (const code of ["block('docs/a.md', '+ b')", "x = blocksBeginning(\n  'docs/a.md',\n  '+ b',\n)"])
      assert.ok(takesBlock(code, 'docs/a.md', '+ b'), code)
    for (const code of [
      "// block('docs/a.md', '+ b')",
      "it('shows docs/a.md, + b')",
      "block('docs/c.md', '+ b')",
      "block('docs/a.md', 'bb')",
    ])
      assert.ok(!takesBlock(code, 'docs/a.md', '+ b'), code)
  })
})

describe('What a page shows', () => {
  it('may differ in ids that are made anew, times and codes, and leave lines out where it says so', () => {
    assertShown(`one ${ID}\n…`, `one ${OTHER}\ntwo\nthree\n`)
    assertShown('a\n...\nc', 'a\nb\nc')
    assertShown('{"duration_ms":9.4}', '{"duration_ms":11}')
    assertShown('(a|b) [c] *', '\n(a|b) [c] *\n\n')
  })

  it('may not differ in a word, a line or an id that is known', () => {
    const differ = /not what comes out/
    assert.throws(() => assertShown('one', 'two'), differ)
    assert.throws(() => assertShown('one', 'one\ntwo'), differ)
    assert.throws(() => assertShown('one\ntwo', 'one'), differ)
    assert.throws(() => assertShown('a.b', 'axb'), differ)
    assert.throws(() => assertShown(ID, OTHER, [ID]), differ)
    assert.throws(() => assertShown(ID, 'no id'), differ)
  })
})

describe('A command', () => {
  it('ends at the end of its line, at && and at a pipe, and has neither comment nor quotes', () => {
    assert.deepEqual(commandsIn(`a <b c> 'd "e"'  # f && g\nh "i j" && k | l > m.json\n`), [
      ['a', '<b c>', 'd "e"'],
      ['h', 'i j'],
      ['k'],
      ['l'],
    ])
    assert.deepEqual(commandsIn(`a "$(b <c> -d)" e`), [
      ['a', '$(b <c> -d)', 'e'],
      ['b', '<c>', '-d'],
    ])
    assert.deepEqual(commandsIn(`a --b '{\n "c": 1 }'`), [['a', '--b', '{\n "c": 1 }']])
  })

  for (const line of [
    'azd envset TOOL_SETS expenses',
    'azd provision --nostate',
    'azd env set NO_SUCH_VARIABLE 1',
    'azd env set',
    'azd env set TOOL_SETS',
    'azd env set TOOL_SETS a b',
    'azd env get-value',
    'azd init --template',
    'azd up now',
    'azd provision -e dev',
    'azd hooks run',
    'azd hooks run toString',
    'azd env get-value NO_SUCH_VARIABLE',
    'azd hooks run prebuild',
    'az ad app destroy',
    'az rest --method',
    'az ad sp show --id one -o',
    'gh variable set --everything',
    'gh run rerun --failed',
    'gh api',
  ])
    it(`of another program is refused for a word that it does not know: ${line}`, () => {
      const [words = []] = commandsIn(line)
      assert.throws(() => checkCloudCommand(words), { code: 'ERR_ASSERTION' })
    })

  it('of another program is taken with words that are known', () => {
    for (const line of [
      'azd env set TOOL_SETS expenses',
      'azd hooks run postdown',
      'azd env get-value SERVER_URL',
      'azd init --template <owner>/<repository>',
      'az ad sp show --id one -o tsv',
      'gh run rerun --failed <run>',
    ])
      checkCloudCommand(commandsIn(line)[0] ?? [])
  })

  it('of another program may be named alone in a sentence, and not with a part of what it takes', () => {
    checkCloudCommand(['azd', 'env', 'set'], { inSentence: true })
    const half = ['azd', 'env', 'set', 'TOOL_SETS']
    assert.throws(() => checkCloudCommand(half, { inSentence: true }), { code: 'ERR_ASSERTION' })
  })

  for (const line of [
    'npm run',
    'npm run toString',
    'npm verify',
    'npm ci now',
    'npm install anything',
    'npm i -D anything',
    'npm run nothing',
    'npm run client --list',
    'npm run client -- --lst',
    'npm run whatif -- --format html',
    'npm run verify -- everything',
    'npm run check -- --fix',
    'npm run bench -- many',
    'npx node',
    'npx node --nonsense',
    'npx node tests',
    'npx node tests/nothing.test.ts',
    'npx node --nonsense tests/docs/checks.test.ts',
    'npx nothing identity-what-if',
    'npx -y --package=./nothing.tgz -- identity-what-if',
    'npx identity-what-if --level high',
    'npx nothing',
    `npx ''`,
    'npx biome --nonsense',
    'npx mcp-inspector --nonsense',
  ])
    it(`of this repository is refused for what it does not take: ${line}`, async () => {
      const [words = []] = commandsIn(line)
      await assert.rejects(async () => checkOwnCommand(words))
    })
})
