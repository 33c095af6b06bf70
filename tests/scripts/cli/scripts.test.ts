import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { ended, makeProject, type Project } from '../hooks.ts'
import { type Stage, startStage } from '../stage.ts'

const HOOKS = ['preprovision', 'postprovision', 'postdeploy', 'predown', 'postdown']
const ALONE = ['federate', 'consent', 'dev-credential', 'verify', 'recycle-bin']
const AzureYaml = z.object({
  hooks: z.record(z.string(), z.strictObject({ run: z.string(), interactive: z.boolean() })),
})

describe('the scripts of an operator', () => {
  let project: Project
  before(async () => {
    project = await makeProject()
    await project.setAzd({})
  })
  after(() => project.remove())
  const inAzd = { AZURE_ENV_NAME: 'dev', AZURE_SUBSCRIPTION_ID: '11111111-1111-4111-8111-111111111111' }

  it('are the hooks that azure.yaml declares: one file for each event, none that may fail unseen', async () => {
    const text = await readFile(new URL('../../../azure.yaml', import.meta.url), 'utf8')
    const { hooks } = AzureYaml.parse(parse(text))
    const wanted = HOOKS.map((name) => [name, { run: `scripts/hooks/${name}.ts`, interactive: true }])
    assert.deepEqual(hooks, Object.fromEntries(wanted))
  })

  it('explain themselves without an environment, a sign-in or a network', async () => {
    const helped = await Promise.all(
      [...HOOKS, ...ALONE].map((name) => ended(project.startAlone(name, {}, ['--help']))),
    )
    for (const { code, output } of helped) {
      assert.equal(code, 0, output)
      assert.match(output, /^(azd hooks run|npm run|npx node scripts\/)[\s\S]+--environment <name>/)
    }
    assert.deepEqual(await project.azdCalls(), [])
  })

  it('fail with one clear message when nobody is signed in', async () => {
    const { code, output } = await project.run('preprovision', inAzd)
    assert.equal(code, 1)
    assert.equal(output.match(/azd gives no token/g)?.length, 1, output)
    assert.match(output, /fix: azd auth login\n$/)
    assert.doesNotMatch(output, /^ {4}at /m)
  })

  it('fail when there is no azd environment, or one that was never deployed', async () => {
    const nowhere = await ended(project.startAlone('verify', {}))
    assert.equal(nowhere.code, 1)
    assert.match(nowhere.output, /no environment is selected[\s\S]+fix: azd env list/)
    const early = await project.run('verify', inAzd)
    assert.equal(early.code, 1)
    assert.match(early.output, /SERVER_URL is missing[\s\S]+fix: azd provision\n$/)
  })

  const skip = process.platform === 'win32' && 'PowerShell cannot be put into a folder of its own'
  it('say what is not installed, and where it comes from', { skip }, async () => {
    const PATH = join(project.folder, 'bare')
    await mkdir(PATH)
    await symlink('/bin/bash', join(PATH, 'bash'))
    const azd = 'azd is not installed.\n  why: The values of the deployment are in the azd environment.'
    const signIn = 'azd is not installed.\n  why: The scripts act as whoever is signed in to azd.'
    const gh = 'gh is not installed.\n  why: Nothing after this step has been done.'
    const urls = { azd: 'https://aka.ms/azd    (without Azure: npm start)', gh: 'https://cli.github.com' }
    const missing = [...ALONE, 'whatif', 'documents'].map((name) => ended(project.startAlone(name, { PATH })))
    for (const { code, output } of await Promise.all(missing))
      assert.deepEqual([code, output], [1, `\n✗ ${azd}\n  fix: ${urls.azd}\n`])
    const hook = { ...inAzd, PATH, AZURE_LOCATION: 'westeurope' }
    const nobody = await ended(project.startAlone('recycle-bin', hook))
    assert.deepEqual([nobody.code, nobody.output], [1, `\n✗ ${signIn}\n  fix: ${urls.azd}\n`])
    const pipeline = await ended(project.startAlone('pipeline', hook, ['contoso/expenses']))
    assert.equal(pipeline.code, 1)
    assert.ok(pipeline.output.endsWith(`\n✗ ${gh}\n  fix: ${urls.gh}\n`), pipeline.output)
  })

  it('say who writes .env before npm run dev looks for it', async () => {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(text))
    assert.equal(scripts.predev, 'node scripts/predev.ts')
    const start = () =>
      spawn(process.execPath, [join(project.folder, scripts.predev?.split(' ')[1] ?? '')], {
        cwd: project.folder,
      })
    const { code, output } = await ended(start())
    assert.equal(code, 1)
    assert.match(output, /^✗ There is no \.env\.\n.*\n {2}fix: azd up {4}\(without Azure: npm start\)\n$/)
    await writeFile(join(project.folder, '.env'), '')
    const { code: found, output: nothing } = await ended(start())
    await rm(join(project.folder, '.env'))
    assert.deepEqual([found, nothing], [0, ''])
  })

  it('refuse an option that they do not know', async () => {
    const { code, output } = await ended(project.startAlone('consent', inAzd, ['--force']))
    assert.equal(code, 1)
    assert.match(output, /--force[\s\S]+why: Nothing was done\.\n {2}fix: .+--help/)
    const words = await ended(project.startAlone('verify', inAzd, ['everything']))
    assert.match(words.output, /Unexpected: everything\n {2}why: Nothing was done\./)
  })
})

describe('a deployment by somebody who may not grant consent', { skip: withoutCompiler }, () => {
  let stage: Stage
  let project: Project
  let deployed: Record<string, string>
  before(async () => {
    stage = await startStage()
    project = await makeProject()
    await project.setAzd({ token: await stage.operatorToken('Peter') })
    deployed = { ...(await stage.up({ operator: 'Peter' })), DIRECTORY_PATIENCE_SECONDS: '2' }
  })
  after(() => Promise.all([stage.stop(), project.remove()]))

  it('is checked by azd provision before azd asks for the subscription', async () => {
    const { AZURE_SUBSCRIPTION_ID: _, AZURE_LOCATION: __, ...early } = stage.base
    await project.setAzd({ token: await stage.operatorToken('Peter'), values: early })
    const { code, output } = await project.run('preprovision', early)
    assert.equal(code, 0, output)
    assert.match(
      output,
      /^✓ Unique names are free or ours: not checked, because azd asks for the subscription later/m,
    )
    assert.ok(
      (await project.azdCalls()).includes('env get-values --output json --no-prompt --environment dev'),
    )
    // Nothing is taken away from whom it is not known.
    const down = await project.run('postdown', early)
    assert.equal(down.code, 1)
    assert.match(down.output, /AZURE_SUBSCRIPTION_ID is missing/)
  })

  it('succeeds and leaves a consent pack', async () => {
    const { code, output } = await project.run('postprovision', deployed)
    assert.equal(code, 0, output)
    assert.match(output, /^! consent is missing and you may not grant it; saved .+consent\.md$/m)
    assert.ok(existsSync(join(project.folder, '.azure/dev/consent.md')))
    // He may not look into the recycle bin: an optional check never stops a deployment.
    assert.match(output, /^✓ app registration "Expenses MCP server \(dev\)"$/m)
    assert.match(output, /^\? .+you may not read the recycle bin\.$/m)
  })

  it('fails with CONSENT_REQUIRED=true', async () => {
    const { code, output } = await project.run('postprovision', { ...deployed, CONSENT_REQUIRED: 'true' })
    assert.equal(code, 1)
    assert.match(output, /✗ Admin consent is missing\.[\s\S]+fix: npm run consent/)
  })
})
