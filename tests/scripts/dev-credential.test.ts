import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { parseEnv } from 'node:util'
import { loadConfig } from '../../app/config.ts'
import { loadPermissions } from '../../app/permissions.ts'
import { devCredential } from '../../scripts/dev-credential.ts'
import { withoutCompiler } from './directory-harness.ts'
import { type Stage, startStage } from './stage.ts'

const DAY = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * DAY)

describe('dev-credential', { skip: withoutCompiler }, () => {
  let stage: Stage
  let deployed: Record<string, string>
  let fresh: ReturnType<Stage['save']>

  before(async () => {
    stage = await startStage()
    deployed = await stage.up()
    fresh = stage.save()
  })
  beforeEach(async () => {
    fresh.restore()
    await stage.empty()
  })
  after(() => stage.stop())

  const dev = () => {
    const app = stage.directory.applications.find(({ appId }) => appId === deployed.ENTRA_DEV_CLIENT_ID)
    assert.ok(app)
    return app
  }
  const names = () => dev().passwordCredentials.map(({ displayName }) => displayName)
  const run = async (variables = deployed) => devCredential(await stage.context(variables))
  const file = async () => parseEnv(await readFile(join(stage.root, '.env'), 'utf8'))

  it('writes what the server needs to run on this machine against Azure', async () => {
    assert.match(await run(), /created: valid until/)
    const variables = await file()
    const config = loadConfig(variables, loadPermissions())
    assert.equal(config.serverUrl, 'http://localhost:8080/mcp')
    assert.equal(config.clientId, deployed.ENTRA_DEV_CLIENT_ID)
    assert.equal(config.credential.kind, 'secret')
    assert.ok(
      stage.directory.passwordOf(dev(), variables.ENTRA_CLIENT_SECRET ?? ''),
      'the secret is the one of the app',
    )
    const [secret] = dev().passwordCredentials
    assert.ok(Date.parse(secret?.endDateTime ?? '') <= Date.now() + 90 * DAY)
  })

  it('renews a secret with less than 14 days left and removes the old one', async () => {
    await run()
    const [secret] = dev().passwordCredentials
    assert.ok(secret)
    secret.endDateTime = inDays(14.5).toISOString()
    assert.match(await run(), /unchanged: 14 days left/)
    secret.endDateTime = inDays(13.5).toISOString()
    const before = await file()
    assert.match(await run(), /renewed/)
    assert.notEqual((await file()).ENTRA_CLIENT_SECRET, before.ENTRA_CLIENT_SECRET)
    assert.equal(dev().passwordCredentials.length, 1)
  })

  it('removes expired secrets of any developer and nothing else of others', async () => {
    const { directory } = stage
    directory.addPassword(dev(), 'mcp-expenses developer secret (elsewhere, 0a1b2c)', inDays(-1))
    directory.addPassword(dev(), 'mcp-expenses developer secret (elsewhere, 3d4e5f)', inDays(50))
    directory.addPassword(dev(), 'by hand', inDays(-1))
    await run()
    const kept = names().filter((name) => name !== 'by hand')
    assert.equal(names().length, 3)
    assert.ok(kept.includes('mcp-expenses developer secret (elsewhere, 3d4e5f)'))
  })

  it('makes a new secret when .env is gone, and takes the lost one away', async () => {
    await run()
    await stage.empty()
    assert.match(await run(), /created/)
    assert.equal(dev().passwordCredentials.length, 1)
  })

  it('makes a new secret when an administrator has deleted it', async () => {
    await run()
    dev().passwordCredentials.length = 0
    const context = await stage.context(deployed, { seconds: 0.05 })
    assert.match(await devCredential(context), /created/)
  })

  it('corrects lines of .env that somebody has changed, without a new secret', async () => {
    await run()
    const path = join(stage.root, '.env')
    const before = await readFile(path, 'utf8')
    await writeFile(path, before.replace(/^PORT=.*$/m, 'PORT=9999'))
    stage.resetWrites()
    assert.match(await run(), /unchanged/)
    assert.equal(await readFile(path, 'utf8'), before)
    assert.deepEqual(stage.writes(), [])
  })

  it('makes no secret in a pipeline', async () => {
    assert.match(await run({ ...deployed, CI: 'true' }), /nobody develops in a pipeline/)
    assert.deepEqual(stage.writes(), [])
  })

  it('makes no secret without local development, and takes its lines out of .env', async () => {
    await run()
    const without = {
      ...deployed,
      ENTRA_DEV_CLIENT_ID: '',
      ENTRA_DEV_APP_OBJECT_ID: '',
      LOCAL_DEVELOPMENT_URL: '',
    }
    assert.match(await run(without), /LOCAL_DEVELOPMENT is off; its lines are gone/)
    await assert.rejects(file(), { code: 'ENOENT' })
  })

  it('never touches the production app', async () => {
    await run()
    const api = stage.directory.applications.find(({ appId }) => appId === deployed.ENTRA_CLIENT_ID)
    assert.deepEqual(api?.passwordCredentials, [])
  })
})
