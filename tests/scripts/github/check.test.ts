import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { jobOf, textOf, workflowFiles } from './workflows.ts'

describe('check.yml', () => {
  it('tests on three systems with three versions of Node', async () => {
    const job = z.looseObject({
      strategy: z.object({ matrix: z.object({ os: z.array(z.string()), node: z.array(z.number()) }) }),
    })
    const { strategy } = job.parse(await jobOf('check.yml', 'test'))
    assert.deepEqual(strategy.matrix.os, ['ubuntu-latest', 'macos-latest', 'windows-latest'])
    assert.deepEqual(strategy.matrix.node, [22, 24, 26])
  })

  it("tests the store against Microsoft's emulator", async () => {
    const { services, env } = await jobOf('check.yml', 'store')
    assert.match(
      services?.cosmos?.image ?? '',
      /^mcr\.microsoft\.com\/cosmosdb\/linux\/azure-cosmos-emulator:/,
    )
    assert.deepEqual(Object.keys(env ?? {}), ['COSMOS_ENDPOINT', 'COSMOS_KEY'])
  })

  it('tests the template with the real compiler, which must be there', async () => {
    const shape = z.looseObject({
      strategy: z.object({
        matrix: z.object({ include: z.array(z.object({ compiler: z.string(), skip: z.string() })) }),
      }),
    })
    const job = await jobOf('check.yml', 'bicep')
    const { include } = shape.parse(job).strategy.matrix
    // What azd carries, then the one that wrote the predictions, which alone compares them letter by letter.
    assert.deepEqual(
      include.map(({ compiler, skip }) => [compiler, skip === '^$']),
      [
        ['v0.42.1', false],
        ['v0.45.15', false],
        ['v0.49.2', true],
      ],
    )
    const runs = job.steps.map(({ run }) => run ?? '')
    assert.ok(runs.includes('az bicep install --version "$COMPILER"'))
    // A named compiler that is missing is an error, where a search would end in skipped tests.
    assert.match(
      runs.at(-1) ?? '',
      /^BICEP="\$HOME\/\.azure\/bin\/bicep" node --test --test-skip-pattern="\$SKIP" "tests\/infra\/\*\.test\.ts"/,
    )
  })
})

describe('Whoever sets up a pipeline', () => {
  it('is told by both pages that azd pipeline config must not be run here, and no file runs it', async () => {
    for (const page of ['README.md', 'docs/pipeline.md'])
      assert.match(
        await readFile(new URL(`../../../${page}`, import.meta.url), 'utf8'),
        /Do not run `azd pipeline config` here/,
      )
    for (const file of workflowFiles) assert.doesNotMatch(await textOf(file), /azd pipeline/)
  })
})
