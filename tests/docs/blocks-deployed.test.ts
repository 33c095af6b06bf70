import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import ky from 'ky'
import manifest from '../../package.json' with { type: 'json' }
import { startCosmos } from '../../scripts/emulators/cosmos.ts'
import { freePort } from '../../scripts/emulators/loopback.ts'
import { postdeploy } from '../../scripts/hooks/postdeploy.ts'
import { postdown } from '../../scripts/hooks/postdown.ts'
import { postprovision } from '../../scripts/hooks/postprovision.ts'
import { preprovision } from '../../scripts/hooks/preprovision.ts'
import { verify } from '../../scripts/identity/verify.ts'
import { declaredMap } from '../pictures/world.ts'
import { withoutCompiler } from '../scripts/graph/directory-harness.ts'
import { makeProject, type Project } from '../scripts/hooks.ts'
import { type Stage, startStage } from '../scripts/stage.ts'
import { RUN } from './block-claims.ts'
import { block, callIn } from './blocks.ts'
import { assertShown } from './compare-output.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('The life of an environment, as docs/deploy.md shows it', { skip: withoutCompiler }, () => {
  let stage: Stage
  let project: Project
  let fresh: ReturnType<Stage['save']>
  before(async () => {
    ;[stage, project] = await Promise.all([startStage(), makeProject()])
    fresh = stage.save()
  })
  after(() => Promise.all([stage.stop(), project.remove()]))
  const known = () => [stage.tenantId, stage.operator('Olivia').oid]
  /** What a command of a page says, run as its script in a copy of the repository. */
  async function run(line: string, values: Record<string, string>) {
    await project.setAzd({ token: await stage.operatorToken('Olivia'), values })
    const { name, args } = callIn(line)
    return project.run(name, { GRAPH_ENDPOINT: stage.graphUrl, DIRECTORY_PATIENCE_SECONDS: '2' }, args)
  }

  it('is checked before the first deployment', async () => {
    const context = await stage.context(stage.base)
    await preprovision(context)
    assertShown(block('docs/deploy.md', '✓ azd is recent enough').text, context.lines.join('\n'), known())
  })

  it('draws its identities without azd and without a sign-in: npm run --silent map', async () => {
    assert.match(await declaredMap(), /^flowchart LR\n/)
  })

  it('says when consent is missing, to whoever may not grant it', async () => {
    fresh.restore()
    await stage.empty()
    const deployed = await stage.up({ operator: 'Peter' })
    const context = await stage.context(deployed, { operator: 'Peter', seconds: 0.1 })
    await postprovision(context)
    const said = context.lines.slice(context.lines.findIndex((line) => line.startsWith('!'))).join('\n')
    assertShown(
      block('docs/deploy.md', '! consent is missing').text,
      said.replaceAll(stage.root + sep, '').replaceAll(sep, '/'),
    )
  })

  describe('after azd up', () => {
    let deployed: Record<string, string>
    let finished: string[]
    let complete: ReturnType<Stage['save']>
    before(async () => {
      fresh.restore()
      await stage.empty()
      deployed = await stage.up()
      const context = await stage.context(deployed)
      await postprovision(context)
      finished = context.lines
      // The secret that it names is this developer's own.
      await cp(join(stage.root, '.env'), join(project.folder, '.env'))
      complete = stage.save()
    })
    beforeEach(() => complete.restore())

    it('is finished and proved', () => {
      assertShown(
        block('docs/deploy.md', '✓ federated credential created').text,
        finished.join('\n'),
        known(),
      )
    })

    it('is looked at with three commands, as docs/operate.md says', async () => {
      const [proof, difference] = await Promise.all([
        run(RUN.verify, deployed),
        run(RUN.silentWhatif, deployed),
      ])
      assert.deepEqual([proof.code, difference.code], [0, 0], proof.output + difference.output)
      const strict = await run(RUN.strictWhatif, deployed)
      assert.equal(strict.code, 0, strict.output)
      assert.match(strict.output, /^### Identity what-if/m)
    })

    it('is widened by TOOL_SETS as README.md says: exactly that', async () => {
      const [, , , , TOOL_SETS = ''] = block('README.md', 'azd env set TOOL_SETS').first.split(' ')
      const widened = await run(RUN.whatif, { ...deployed, TOOL_SETS })
      assert.equal(widened.code, 2, widened.output)
      assert.match(widened.output, /Azure DevOps/)
      assert.doesNotMatch(widened.output, /Azure Service Management|Azure AI Search|cost\.|documents\./)
    })

    it('says which rights a pipeline takes', async () => {
      const { code, output } = await run(RUN.pipelineRights, deployed)
      assert.equal(code, 0, output)
      assert.match(output, /Review identity/)
    })

    it('is told what somebody changed in the portal', async () => {
      const app = stage.directory.application(deployed.ENTRA_CLIENT_ID ?? '')
      app?.identifierUris.push('https://elsewhere.example/mcp')
      app?.federatedIdentityCredentials.splice(0)
      const context = await stage.context(deployed)
      await assert.rejects(verify(context, 0), { name: 'Problem' })
      const said = context.lines.filter((line) => /^(✗| +fix:)/.test(line)).join('\n')
      assertShown(block('docs/deploy.md', '✗ app registration').text, said, known())
    })

    it('runs on a laptop with .env alone, and is approved by postdeploy', async () => {
      const cosmos = await startCosmos({
        port: 0,
        file: ':memory:',
        database: 'expenses',
        container: 'expenses',
      })
      const url = `http://localhost:${await freePort()}/mcp`
      const moved = await stage.up({ environment: { LOCAL_SERVER_URL: url } })
      await postprovision(await stage.context(moved))
      // The data of the emulator; everything else is of .env.
      const env = { COSMOS_ENDPOINT: cosmos.url, COSMOS_KEY: cosmos.key, PORT: new URL(url).port }
      const [, ...args] = manifest.scripts.dev
        .replace('app/server.ts', join(root, 'app/server.ts'))
        .split(' ')
      const server = spawn(process.execPath, args, {
        cwd: stage.root,
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const exit = once(server, 'exit')
      try {
        await ky(new URL('/healthz', url), { retry: { limit: 200, delay: () => 50 }, totalTimeout: 30_000 })
        const context = await stage.context({ ...moved, SERVER_URL: url })
        await postdeploy(context)
        const shown = context.lines.slice(0, -1).join('\n').replaceAll(new URL(url).origin, 'https://<host>')
        assertShown(block('docs/deploy.md', '✓ https://<host>/healthz answers').text, shown)
      } finally {
        server.kill('SIGKILL')
        await exit
        await cosmos.close()
      }
    })

    // The last one: what the hooks keep in files goes too.
    it('is taken away', async () => {
      const context = await stage.context(stage.base)
      await postdown(context)
      assertShown(block('docs/deploy.md', '✓ deleted service principal').text, context.lines.join('\n'))
    })
  })
})
