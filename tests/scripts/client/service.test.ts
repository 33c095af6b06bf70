import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import express from 'express'
import { decodeJwt } from 'jose'
import { Problem } from '../../../scripts/cli/problem.ts'
import { describeServer, type McpServer } from '../../../scripts/client/server.ts'
import { serviceTokens } from '../../../scripts/client/service.ts'
import type { Application } from '../../../scripts/emulators/directory-objects.ts'
import { listenOnLoopback } from '../../../scripts/emulators/loopback.ts'
import { selfSigned } from '../../certificate.ts'
import { GITHUB, startGithubJob } from '../../e2e/github-job.ts'
import { addService, type ServiceApp } from '../../e2e/service-app.ts'
import { type System, startSystem } from '../../e2e/system.ts'
import { type Desk, makeDesk } from './desk.ts'

const SUBJECT = 'repo:contoso/expenses:ref:refs/heads/main'
const AUDIENCE = 'api://AzureADTokenExchange'

describe('a service with the client', () => {
  let system: System
  let desk: Desk
  let server: McpServer
  let app: Application
  let service: ServiceApp
  before(async () => {
    system = await startSystem()
    desk = await makeDesk()
    server = await describeServer(system.mcp)
  })
  after(async () => {
    await system.stop()
    await desk.remove()
  })
  beforeEach(() => {
    service = addService(system)
    app = service.app
  })

  const secretOf = (one: Application) =>
    system.tenant.directory.addPassword(one, 'test', new Date(Date.now() + 60_000)).secretText
  const tokenWith = (variables: Record<string, string>) => serviceTokens(server, app.appId, variables).held()
  const isOurs = (token = '') => {
    const { aud, idtyp, azp, scp } = decodeJwt(token)
    assert.deepEqual(
      { aud, idtyp, azp, scp },
      { aud: system.seed.apiAppId, idtyp: 'app', azp: app.appId, scp: undefined },
    )
  }
  const problem = (said: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Problem, String(error))
    assert.match(error.message, said)
    return true
  }

  it('gets an app-only token for the server with a secret, asking once', async () => {
    const tokens = serviceTokens(server, app.appId, { ENTRA_CLIENT_SECRET: secretOf(app) })
    system.tenant.faults.resetCounters()
    isOurs(await tokens.held())
    assert.equal(await tokens.held(), await tokens.held())
    assert.equal(system.tenant.counters.token, 1)
  })

  it('gets one with a certificate', async () => {
    const { credential, forMsal } = await selfSigned()
    app.keyCredentials.push(credential)
    const folder = await mkdtemp(join(tmpdir(), 'service-'))
    try {
      const path = join(folder, 'app.pem')
      await writeFile(path, `${forMsal.privateKey}\n${forMsal.x5c}`)
      isOurs(await tokenWith({ ENTRA_CLIENT_CERTIFICATE_PATH: path }))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  describe('in a GitHub job', () => {
    let job: Awaited<ReturnType<typeof startGithubJob>>
    before(async () => {
      job = await startGithubJob(system, SUBJECT)
    })
    after(() => job.close())
    const trust = (subject: string) =>
      app.federatedIdentityCredentials.push({
        id: randomUUID(),
        name: 'job',
        issuer: GITHUB,
        subject,
        audiences: [AUDIENCE],
        description: null,
      })
    it('gets one with the job’s own token, without a secret', async () => {
      trust(SUBJECT)
      isOurs(await tokenWith(job.variables))
      assert.deepEqual(job.asked, [{ audience: AUDIENCE, authorization: 'Bearer of-the-job' }])
    })

    it('is told which command mends a credential with another subject', async () => {
      trust(SUBJECT.toUpperCase())
      await assert.rejects(
        tokenWith(job.variables),
        problem(/refused: AADSTS7002138\n[\s\S]*npm run pipeline/),
      )
    })

    it('is told that the job may not ask', async () => {
      await assert.rejects(
        tokenWith({ ...job.variables, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'other' }),
        problem(/GitHub gives this job no token.*\n[\s\S]*id-token: write/),
      )
      const foreign = { ...job.variables, ACTIONS_ID_TOKEN_REQUEST_URL: 'http://github.example/token' }
      await assert.rejects(tokenWith(foreign), problem(/no https URL/))
    })
  })

  it('is told what is missing without a credential, or with two', async () => {
    await assert.rejects(tokenWith({}), problem(/none is set[\s\S]*ENTRA_CLIENT_SECRET or/))
    const two = { ENTRA_CLIENT_SECRET: 'a', ENTRA_CLIENT_CERTIFICATE_PATH: 'b' }
    await assert.rejects(tokenWith(two), problem(/^2 credentials are set\.\n.*\n {2}fix: Keep/))
    isOurs(await tokenWith({ ENTRA_CLIENT_SECRET: secretOf(app), ENTRA_CLIENT_CERTIFICATE_PATH: '' }))
    const unknown = serviceTokens(server, randomUUID(), { ENTRA_CLIENT_SECRET: 'a' }).held()
    await assert.rejects(unknown, problem(/refused: AADSTS700016\n.*\n {2}fix: .*AZURE_CLIENT_ID/))
    await assert.rejects(tokenWith({ ENTRA_CLIENT_CERTIFICATE_PATH: '/nowhere.pem' }), problem(/PEM file/))
  })

  it('is told that its secret is wrong, without it', async () => {
    secretOf(app)
    const wrong = tokenWith({ ENTRA_CLIENT_SECRET: 'a wrong secret' })
    await assert.rejects(wrong, (error: unknown) => {
      assert.doesNotMatch(String(error), /a wrong secret/)
      return problem(/refused: AADSTS7000215\n[\s\S]*Set ENTRA_CLIENT_SECRET anew/)(error)
    })
  })

  it('is told that nobody assigned it to the server', async () => {
    service.unassign()
    await assert.rejects(
      tokenWith({ ENTRA_CLIENT_SECRET: secretOf(app) }),
      problem(/refused: AADSTS501051\n/),
    )
  })

  it('hears in a terminal what the server says to it; nothing is kept, nothing printed', async () => {
    const ENTRA_CLIENT_SECRET = secretOf(app)
    const args = ['--url', system.mcp, '--service', '--list']
    const nameless = await desk.run(args, { ENTRA_CLIENT_SECRET })
    assert.match(
      nameless.stderr,
      /needs --client-id or AZURE_CLIENT_ID\.\n {2}why: It signs in as its own app\./,
    )
    const { code, stdout, stderr } = await desk.run(args, { ENTRA_CLIENT_SECRET, AZURE_CLIENT_ID: app.appId })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(
      stderr,
      /^✗ The server refuses this service: This service needs one of these app roles: Expenses\.Report\.[\s\S]*docs\/services\.md/,
    )
    assert.ok(!stderr.includes(ENTRA_CLIENT_SECRET))
    await assert.rejects(stat(desk.file(system.mcp)), { code: 'ENOENT' })
  })

  it('prints no token, even one that a server sends back', async () => {
    const echo = await startEcho(system)
    try {
      const { stderr } = await desk.run(
        ['--url', echo.url, '--service', '--list', '--client-id', app.appId],
        {
          ENTRA_CLIENT_SECRET: secretOf(app),
        },
      )
      assert.match(stderr, /^✗ The server refuses this service: You sent Bearer \(token\)\.?\n/)
    } finally {
      await echo.close()
    }
  })
})

/** Its tokens are the tenant's, and what it refuses with is the token itself. */
async function startEcho({ tenant, seed }: System) {
  const app = express()
  let url = ''
  app.get('/.well-known/oauth-protected-resource/mcp', (_request, response) => {
    const authority = `${tenant.url}/${seed.tenantId}/v2.0`
    response.json({ resource: url, authorization_servers: [authority] })
  })
  app.post('/mcp', ({ headers }, response) => {
    response.status(403).json({ error_description: `You sent ${headers.authorization}.` })
  })
  const { port, close } = await listenOnLoopback(app, 0, '')
  url = `http://localhost:${port}/mcp`
  tenant.directory.application(seed.apiAppId)?.identifierUris.push(url)
  return { url, close }
}
