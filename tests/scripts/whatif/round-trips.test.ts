import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { type Compiled, compile } from '../../../scripts/bicep/compile.ts'
import { Directory } from '../../../scripts/graph/directory.ts'
import { NOTHING_FURTHER } from '../../../scripts/whatif/further.ts'
import { runWhatIf } from '../../../scripts/whatif/whatif.ts'
import { deploy } from '../graph/deployment.ts'
import { SUBSCRIPTION, withoutCompiler } from '../graph/directory-harness.ts'
import { startStage } from '../stage.ts'

/** 200 Graph objects: 40 of each. */
const TEMPLATE = `extension 'br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0'
var all = range(0, 40)
resource apps 'Microsoft.Graph/applications@v1.0' = [for at in all: {
  uniqueName: 'app-\${at}'
  displayName: 'App \${at}'
  tags: ['round-trips']
}]
resource credentials 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = [for at in all: {
  name: '\${apps[at].uniqueName}/actions'
  issuer: 'https://token.actions.githubusercontent.com'
  subject: 'repo:contoso/app-\${at}:ref:refs/heads/main'
  audiences: ['api://AzureADTokenExchange']
}]
resource principals 'Microsoft.Graph/servicePrincipals@v1.0' = [for at in all: {
  appId: apps[at].appId
}]
resource teams 'Microsoft.Graph/groups@v1.0' = [for at in all: {
  uniqueName: 'team-\${at}'
  displayName: 'Team \${at}'
  mailEnabled: false
  mailNickname: 'team-\${at}'
  securityEnabled: true
}]
resource assigned 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for at in all: {
  appRoleId: '00000000-0000-0000-0000-000000000000'
  principalId: teams[at].id
  resourceId: principals[at].id
}]
`

/**
 * In front of Microsoft Graph's emulator: whoever waits for an answer gets it when nobody asks for anything else any
 * more, so that a round trip is what the client cannot do without.
 */
async function startCounter(target: string) {
  const count = { trips: 0, requests: 0 }
  let held: (() => Promise<() => void>)[] = []
  let quiet = 0
  const release = async () => {
    const wave = held
    held = []
    count.trips += 1
    for (const answer of await Promise.all(wave.map((ask) => ask()))) answer()
  }
  const wait = () => {
    quiet += 1
    if (quiet < 500) setImmediate(wait)
    else void release()
  }
  const forward = async (response: ServerResponse, path: string, init: RequestInit) => {
    const answer = await fetch(`${target}${path}`, init)
    const text = await answer.text()
    return () =>
      void response
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        .end(text)
  }
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('')
    const headers = { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' }
    const { method = 'GET', url = '/' } = request
    held.push(() => forward(response, url, { method, headers, ...(body && { body }) }))
    count.requests += 1
    quiet = 0
    if (held.length === 1) wait()
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = z.object({ port: z.number() }).parse(server.address())
  const close = async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  return { count, url: `http://localhost:${port}`, close }
}

describe('200 Graph objects', { skip: withoutCompiler }, () => {
  let stage: Awaited<ReturnType<typeof startStage>>
  let counter: Awaited<ReturnType<typeof startCounter>>
  let folder = ''
  let compiled: Compiled
  before(async () => {
    stage = await startStage()
    counter = await startCounter(stage.graphUrl)
    folder = await mkdtemp(join(tmpdir(), 'round-trips-'))
    await writeFile(join(folder, 'main.bicep'), TEMPLATE)
    compiled = await compile({
      ...{ infra: folder, parameters: 'main.bicep', environment: {} },
      ...{ subscriptionId: SUBSCRIPTION, tenantId: stage.tenantId },
    })
  })
  after(async () => {
    await counter.close()
    await Promise.all([stage.stop(), rm(folder, { recursive: true, force: true })])
  })

  async function ask() {
    Object.assign(counter.count, { trips: 0, requests: 0 })
    const token = await stage.operatorToken('Olivia')
    const directory = new Directory({ endpoint: counter.url, patienceSeconds: 20, token: async () => token })
    const declared = { compiled, further: NOTHING_FURTHER, tenantId: stage.tenantId }
    const variables = { AZURE_ENV_NAME: 'dev', AZURE_SUBSCRIPTION_ID: SUBSCRIPTION }
    const places = new Map()
    const deployer = stage.operator('Olivia').oid
    const policy = { exceptions: [], deployer, perspective: 'proposed' as const, today: '2026-11-27' }
    return runWhatIf({ ...declared, variables, places }, directory, policy)
  }

  it('are read in less than 6 round trips, where none of them is there', async () => {
    const { changes } = await ask()
    assert.equal(changes.length, 200)
    assert.ok(counter.count.trips < 6, JSON.stringify(counter.count))
    console.log(`# ${JSON.stringify(counter.count)}`)
  })

  it('and where all of them are, with everything that hangs on them', async () => {
    const token = await stage.operatorToken('Olivia')
    await deploy({ graphUrl: stage.graphUrl, token, compiled, azure: {} })
    const { changes, unmanaged } = await ask()
    assert.deepEqual([changes, unmanaged], [[], []])
    assert.ok(counter.count.trips < 6, JSON.stringify(counter.count))
    console.log(`# ${JSON.stringify(counter.count)}`)
  })
})
