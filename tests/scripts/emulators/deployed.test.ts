import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import ky from 'ky'
import { choice } from '../../../scripts/client/choice.ts'
import { Person } from '../../../scripts/client/person.ts'
import { describeServer } from '../../../scripts/client/server.ts'
import { connected, toolList } from '../../../scripts/client/tools.ts'
import { startCosmos } from '../../../scripts/emulators/cosmos.ts'
import { freePort } from '../../../scripts/emulators/loopback.ts'
import { postdeploy } from '../../../scripts/hooks/postdeploy.ts'
import { postprovision } from '../../../scripts/hooks/postprovision.ts'
import { callTool, lunch } from '../../e2e/rpc.ts'
import { browse } from '../client/browse.ts'
import { type Desk, makeDesk } from '../client/desk.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Stage, startStage } from '../stage.ts'

const SERVER = fileURLToPath(new URL('../../../app/server.ts', import.meta.url))
const NOTHING_SAID = { url: undefined, clientId: undefined, environment: undefined }
const VS_CODE = 'aebc6443-996d-45c2-90f0-388ff96faa56'

/** The real server as a process, once as in Azure and once as on a developer's machine, after a deployment and its hooks. */
describe('what was deployed', { skip: withoutCompiler }, () => {
  let stage: Stage
  let cosmos: Awaited<ReturnType<typeof startCosmos>>
  let deployed: Record<string, string>
  let localPort: number
  const servers: ChildProcess[] = []

  const start = async (port: number, variables: NodeJS.Dict<string>) => {
    const store = { COSMOS_ENDPOINT: cosmos.url, COSMOS_KEY: cosmos.key }
    const server = spawn(process.execPath, [SERVER], {
      env: { ...variables, ...store, PORT: String(port), LOG_LEVEL: 'error' },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    servers.push(server)
    const health = `http://localhost:${port}/healthz`
    await ky(health, { retry: { limit: 200, delay: () => 50 }, totalTimeout: 30_000 })
  }
  const signIn = (resource: string) =>
    stage.tenant.tokenFor({
      user: 'alice@contoso.example',
      clientId: VS_CODE,
      scope: `${resource}/user_impersonation`,
      resource,
    })
  const assign = (name: 'ENTRA_USERS_GROUP_ID' | 'ENTRA_ADMIN_GROUP_ID', upn: string) => {
    const group = stage.directory.groups.find(({ id }) => id === deployed[name])
    const user = stage.directory.user(upn)
    assert.ok(group && user)
    group.members.push(user.id)
  }

  before(async () => {
    stage = await startStage()
    cosmos = await startCosmos({ port: 0, file: ':memory:', database: 'expenses', container: 'expenses' })
    localPort = await freePort()
    deployed = await stage.up({ environment: { LOCAL_SERVER_URL: `http://localhost:${localPort}/mcp` } })
    await postprovision(await stage.context(deployed))
    // The secret of the dev app is good from the moment it was made, by the clock of the machine.
    stage.pass(1)
    assign('ENTRA_USERS_GROUP_ID', 'alice@contoso.example')
    assign('ENTRA_ADMIN_GROUP_ID', 'alice@contoso.example')
  })
  after(async () => {
    for (const server of servers)
      if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit')
    await Promise.all([stage.stop(), cosmos.close()])
  })

  it('signs Alice in with the client id of Visual Studio Code and lets her call a tool, without a secret anywhere', async () => {
    const port = await freePort()
    const url = deployed.SERVER_URL ?? ''
    await start(port, {
      AZURE_TENANT_ID: deployed.AZURE_TENANT_ID,
      AZURE_CLIENT_ID: deployed.SERVER_IDENTITY_CLIENT_ID,
      IDENTITY_ENDPOINT: stage.tenant.identityEndpoint,
      IDENTITY_HEADER: stage.tenant.identityHeader,
      ENTRA_CLIENT_ID: deployed.ENTRA_CLIENT_ID,
      ENTRA_ADMIN_GROUP_ID: deployed.ENTRA_ADMIN_GROUP_ID,
      ENTRA_AUTHORITY_HOST: stage.tenant.url,
      GRAPH_ENDPOINT: stage.graphUrl,
      SERVER_URL: url,
      COSMOS_DATABASE: deployed.COSMOS_DATABASE,
      COSMOS_CONTAINER: deployed.COSMOS_CONTAINER,
    })
    const token = await signIn(url)
    // As the ingress of Container Apps hands requests on: to the replica, with the public name.
    const call = async (name: string, args: object) => {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }
      const headers = {
        host: new URL(url).host,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      }
      const sent = request({ port, path: '/mcp', method: 'POST', headers })
      sent.end(JSON.stringify(message))
      const [response] = await once(sent, 'response')
      return (await response.setEncoding('utf8').toArray()).join('')
    }
    assert.match(await call('add_user_expense', lunch()), /"structuredContent"/)
    // Exchanged with the federated managed identity: consent, assertion and group all have to be right.
    assert.match(await call('get_expense_stats', {}), /"structuredContent"/)
    assert.doesNotMatch(await call('get_expense_stats', {}), /"isError":true/)
  })

  it('runs on a laptop with nothing but .env', async () => {
    const variables = parseEnv(await readFile(join(stage.root, '.env'), 'utf8'))
    await start(localPort, variables)
    const url = deployed.LOCAL_DEVELOPMENT_URL ?? ''
    const token = await signIn(url)
    const { isError } = await callTool(url, 'get_expense_stats', {}, { token })
    assert.ok(!isError)
  })

  describe('through npm run client', () => {
    let desk: Desk
    const server = () => ({ mcp: deployed.LOCAL_DEVELOPMENT_URL ?? '', tenant: stage.tenant })
    before(async () => {
      desk = await makeDesk()
      await desk.setAzd({ ...deployed, SERVER_URL: server().mcp })
    })
    after(() => desk.remove())

    it('lets Alice in with a browser, by the client id of the azd environment', async () => {
      const described = await describeServer(server().mcp)
      const alice = new Person({
        server: described,
        clientId: await choice(NOTHING_SAID, deployed).clientId(described),
        file: desk.file('elsewhere'),
        way: 'browser',
        openBrowser: (page) => browse(page, 'Alice'),
        print: () => undefined,
      })
      const list = await connected(described.url, alice, (client) => toolList(client, 'tables'))
      assert.match(list, /get_expense_stats/)
    })

    it('takes device codes only where somebody allowed them', async () => {
      const refused = await desk.signIn(server(), 'Alice', ['--list'])
      assert.match(refused.stderr, /refused: AADSTS7000218\n[\s\S]*azd env set ALLOW_DEVICE_CODE true/)
      const LOCAL_SERVER_URL = server().mcp
      await stage.up({ environment: { LOCAL_SERVER_URL, ALLOW_DEVICE_CODE: 'true' } })
      assert.equal((await desk.signIn(server(), 'Alice', ['--list'])).code, 0)
      // No URL and no id: the azd environment knows both.
      assert.match((await desk.run(['get_expense_stats'])).stdout, /^users: \d+\n/)
      await stage.up({ environment: { LOCAL_SERVER_URL } })
    })
  })

  it('is approved by postdeploy: server, metadata and sign-in', async () => {
    const url = deployed.LOCAL_DEVELOPMENT_URL ?? ''
    const context = await stage.context({ ...deployed, SERVER_URL: url })
    await postdeploy(context)
    assert.deepEqual(context.lines.slice(0, -1), [
      `✓ http://localhost:${localPort}/healthz answers`,
      `✓ http://localhost:${localPort}/.well-known/oauth-protected-resource/mcp names the resource, the tenant and the scopes`,
      `✓ http://localhost:${localPort}/.well-known/oauth-protected-resource names the resource, the tenant and the scopes`,
      '✓ Entra accepts Visual Studio Code with this scope and resource',
    ])
    const [, block] = /mcp\.json:\n\n([\s\S]+)$/.exec(context.lines.at(-1) ?? '') ?? []
    assert.deepEqual(JSON.parse(block ?? ''), { servers: { expenses: { type: 'http', url } } })
  })

  it('is refused by postdeploy when Entra does not know the URL, the client or the scope', async () => {
    const url = deployed.LOCAL_DEVELOPMENT_URL ?? ''
    const dev = stage.directory.applications.find(({ appId }) => appId === deployed.ENTRA_DEV_CLIENT_ID)
    assert.ok(dev)
    const uris = dev.identifierUris
    const refusal = async () =>
      postdeploy(await stage.context({ ...deployed, SERVER_URL: url }, { seconds: 1 }))
    dev.identifierUris = uris.filter((uri) => uri !== url)
    await assert.rejects(refusal(), {
      name: 'Problem',
      message: /Entra would refuse Visual Studio Code: AADSTS500011/,
    })
    dev.identifierUris = uris
    const { oauth2PermissionScopes } = dev.api
    dev.api.oauth2PermissionScopes = []
    await assert.rejects(refusal(), {
      name: 'Problem',
      message: /AADSTS(650053|65005|70011)\d*: .+\n {2}why: [\s\S]+fix: azd provision --no-state/,
    })
    dev.api.oauth2PermissionScopes = oauth2PermissionScopes
    await refusal()
  })

  it('is refused by postdeploy when the server names another tenant, or does not answer', async () => {
    const url = deployed.LOCAL_DEVELOPMENT_URL ?? ''
    const other = { ...deployed, SERVER_URL: url, AZURE_TENANT_ID: '99999999-9999-4999-8999-999999999999' }
    await assert.rejects(postdeploy(await stage.context(other)), {
      message:
        /oauth-protected-resource\/mcp says authorization_servers = [\s\S]+fix: azd provision --no-state && azd deploy/,
    })
    const nowhere = { ...deployed, SERVER_URL: `http://localhost:${await freePort()}/mcp` }
    await assert.rejects(postdeploy(await stage.context(nowhere, { seconds: 1 })), {
      message: /healthz does not answer: [\s\S]+fix: az containerapp logs show --name ca-/,
    })
  })
})
