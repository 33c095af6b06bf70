import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { parseEnv } from 'node:util'
import { loadConfig } from '../../../app/config.ts'
import { loadDeclaration } from '../../../app/declaration.ts'
import { postprovision } from '../../../scripts/hooks/postprovision.ts'
import { devCredential } from '../../../scripts/identity/dev-credential.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Stage, startStage } from '../stage.ts'

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
    const config = loadConfig(variables, loadDeclaration())
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
    secret.startDateTime = inDays(-75).toISOString()
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

  describe('where a policy of the tenant', () => {
    const policy = () => stage.directory.appManagementPolicy
    afterEach(() => {
      Object.assign(policy(), { passwordAddition: 'allowed', passwordLifetimeDays: null })
    })
    const lifeInDays = () => {
      const [secret] = dev().passwordCredentials
      return Math.ceil((Date.parse(secret?.endDateTime ?? '') - Date.now()) / DAY)
    }

    it('limits the life of secrets, takes the longest that is allowed', async () => {
      for (const [allowed, taken] of [
        [180, 90],
        [90, 90],
        [89, 30],
        [30, 30],
        [14, 7],
        [7, 7],
      ] as const) {
        fresh.restore()
        await stage.empty()
        policy().passwordLifetimeDays = allowed
        assert.match(await run(), /created: valid until/)
        assert.equal(lifeInDays(), taken, `at most ${allowed} days`)
      }
    })

    it('limits the life of secrets, renews a short one in the last third of its life', async () => {
      policy().passwordLifetimeDays = 7
      await run()
      const [secret] = dev().passwordCredentials
      assert.ok(secret)
      Object.assign(secret, { startDateTime: inDays(-4).toISOString(), endDateTime: inDays(3).toISOString() })
      assert.match(await run(), /unchanged: 2 days left/)
      Object.assign(secret, { startDateTime: inDays(-5).toISOString(), endDateTime: inDays(2).toISOString() })
      assert.match(await run(), /renewed/)
      assert.deepEqual([dev().passwordCredentials.length, lifeInDays()], [1, 7])
    })

    const without =
      /no secret of the dev app: a policy of this tenant refuses secrets[\s\S]+npm start[\s\S]+ENTRA_CLIENT_CERTIFICATE_PATH[\s\S]+exempts app/

    it('refuses secrets, goes on and says what works without one', async () => {
      policy().passwordAddition = 'refused'
      assert.match(await run(), without)
      const { ENTRA_CLIENT_SECRET, ENTRA_CLIENT_SECRET_ID, ...variables } = await file()
      assert.deepEqual([ENTRA_CLIENT_SECRET, ENTRA_CLIENT_SECRET_ID], [undefined, undefined])
      // All that the server still wants is a credential.
      assert.throws(
        () => loadConfig(variables, loadDeclaration()),
        /^ConfigurationError: 0 credentials are set/,
      )
      await postprovision(await stage.context(deployed))
    })

    it('refuses even a week, goes on without a secret', async () => {
      policy().passwordLifetimeDays = 1
      assert.match(await run(), without)
      assert.deepEqual(dev().passwordCredentials, [])
    })

    it('came later, keeps the secret that still works and drops the one that does not', async () => {
      await run()
      const before = await file()
      policy().passwordAddition = 'refused'
      const [secret] = dev().passwordCredentials
      assert.ok(secret)
      Object.assign(secret, {
        startDateTime: inDays(-84).toISOString(),
        endDateTime: inDays(5.5).toISOString(),
      })
      assert.match(await run(), /not renewed, 5 days left: a policy of this tenant/)
      assert.equal((await file()).ENTRA_CLIENT_SECRET, before.ENTRA_CLIENT_SECRET)
      secret.endDateTime = inDays(-1).toISOString()
      assert.match(await run(), without)
      assert.equal((await file()).ENTRA_CLIENT_SECRET, undefined)
      assert.deepEqual(dev().passwordCredentials, [])
    })

    it('is no matter where .env names a certificate: the server takes one credential', async () => {
      await run()
      const path = join(stage.root, '.env')
      await writeFile(path, `ENTRA_CLIENT_CERTIFICATE_PATH=/keys/dev.pem\n${await readFile(path, 'utf8')}`)
      assert.match(await run(), /no secret of the dev app: \.env names a certificate/)
      const { ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET } = await file()
      assert.deepEqual([ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET], ['/keys/dev.pem', undefined])
      assert.deepEqual(dev().passwordCredentials, [])
      stage.resetWrites()
      await run()
      assert.deepEqual(stage.writes(), [])
    })
  })

  it('passes on every other refusal', async () => {
    const context = await stage.context(deployed, { operator: 'Quinn' })
    await assert.rejects(devCredential(context), { name: 'DirectoryError', status: 403 })
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
