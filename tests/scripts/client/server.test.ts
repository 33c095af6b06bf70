import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import express, { type RequestHandler } from 'express'
import { z } from 'zod'
import { Problem } from '../../../scripts/cli/problem.ts'
import { authorizedFetch, type Challenge, type Tokens } from '../../../scripts/client/challenge.ts'
import { choice } from '../../../scripts/client/choice.ts'
import { describeServer, ownScopes } from '../../../scripts/client/server.ts'
import { connected, toolAnswer, toolList } from '../../../scripts/client/tools.ts'
import { listenOnLoopback } from '../../../scripts/emulators/loopback.ts'

const TENANT = '4f6c2b1e-9a57-4d0f-8c3d-5e1b7a902c64'
const ENTRA = `https://login.microsoftonline.com/${TENANT}/v2.0`

const problem = (said: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Problem, String(error))
  assert.match(error.message, said)
  assert.match(error.fix, /./)
  return true
}

/** A server of a stranger: it may answer anything. */
describe('a server that the client does not know', () => {
  let url: string
  let close: () => Promise<void>
  let metadata: RequestHandler
  let mcp: RequestHandler | RequestHandler[]
  before(async () => {
    const app = express()
    app.get('/.well-known/oauth-protected-resource/mcp', (...call) => metadata(...call))
    app.post('/mcp', (...call) => express.Router().use(mcp)(...call))
    const listening = await listenOnLoopback(app, 0, '')
    url = `http://localhost:${listening.port}/mcp`
    close = listening.close
  })
  after(() => close())

  const described = (changes: Record<string, unknown>) => {
    metadata = (_request, response) =>
      void response.json({ resource: url, authorization_servers: [ENTRA], ...changes })
    return describeServer(url)
  }

  it('says by itself which tenant signs its callers in, and for what', async () => {
    const scopes_supported = [`${url}/user_impersonation`, `${url}/cost.read`]
    assert.deepEqual(await described({ scopes_supported }), {
      url,
      authorityHost: 'https://login.microsoftonline.com',
      tenantId: TENANT,
      scopes: scopes_supported,
    })
  })

  it('may not name another resource', async () => {
    for (const resource of [
      `${url}/`,
      'https://graph.microsoft.com',
      url.toUpperCase(),
      url.replace('/mcp', ''),
    ])
      await assert.rejects(described({ resource }), problem(/calls itself/))
  })

  it('may not send its callers to sign in elsewhere', async () => {
    for (const authority of [
      `https://login.contoso.example/${TENANT}/v2.0`,
      `https://login.microsoftonline.com.contoso.example/${TENANT}/v2.0`,
      `https://login.microsoftonline.com@contoso.example/${TENANT}/v2.0`,
      `http://login.microsoftonline.com/${TENANT}/v2.0`,
      'https://login.microsoftonline.com/common/v2.0',
      `https://login.microsoftonline.com/${TENANT}`,
      `http://contoso.example:8081/${TENANT}/v2.0`,
      '',
    ])
      await assert.rejects(described({ authorization_servers: [authority] }), problem(/is not Entra ID/))
  })

  it('may not ask for a token of anything else', async () => {
    for (const scope of [
      'https://graph.microsoft.com/.default',
      'user_impersonation',
      `${url}`,
      `${url}/`,
      `${url}/a/b`,
      `${url}x/user_impersonation`,
      `${url}/../user_impersonation`,
    ]) {
      assert.throws(() => ownScopes(url, scope), problem(/is not a scope of this server/))
      await assert.rejects(described({ scopes_supported: [scope] }), Problem)
    }
    assert.deepEqual(ownScopes(url, ` ${url}/a  ${url}/b.c `), [`${url}/a`, `${url}/b.c`])
  })

  it('is none when its metadata is not to be read, or elsewhere', async () => {
    const answers: [RequestHandler, RegExp][] = [
      [(_, response) => void response.sendStatus(404), /HTTP 404/],
      [(_, response) => void response.send('<html>'), /HTTP 200/],
      [(_, response) => void response.json([]), /HTTP 200/],
      [(_, response) => void response.json({ resource: url, authorization_servers: [] }), /HTTP 200/],
      [(_, response) => response.redirect('https://contoso.example/'), /does not answer/],
      [({ socket }) => void socket.destroy(), /does not answer/],
    ]
    for (const [answer, said] of answers) {
      metadata = answer
      await assert.rejects(describeServer(url), problem(said))
    }
    for (const wrong of ['contoso', 'ftp://localhost/mcp', 'https://a@contoso.example/mcp', `${url}?a=b`])
      await assert.rejects(describeServer(wrong), problem(/is no URL of an MCP server/))
  })

  describe('that refuses a call', () => {
    let asked: Challenge[]
    let authorizations: (string | undefined)[]
    afterEach(() => {
      asked = []
    })
    const tokens: Tokens = {
      held: async () => 'first',
      answer: async (challenge) => {
        asked.push(challenge)
        return `better-${asked.length}`
      },
    }
    /** The server's answers in their order, the last one for ever. */
    const send = (...answers: [status: number, headers?: Record<string, string>, body?: unknown][]) => {
      asked = []
      authorizations = []
      mcp = ({ headers }, response) => {
        authorizations.push(headers.authorization)
        const [status, own = {}, body = {}] =
          answers.length > 1 ? (answers.shift() ?? [500]) : (answers[0] ?? [500])
        response.status(status).set(own).json(body)
      }
      return authorizedFetch(url, tokens)(url, { method: 'POST', body: '{}' })
    }
    const challenge = (parameters: string) => ({ 'www-authenticate': `Bearer ${parameters}` })

    it('gets a token for each kind of challenge once', async () => {
      const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' } } })
      const response = await send(
        [401, challenge(`error="insufficient_claims", claims="${btoa(claims)}", scope="${url}/a"`)],
        [
          403,
          challenge(`error="insufficient_scope", error_description="b, please", scope="${url}/a ${url}/b"`),
        ],
        [200],
      )
      assert.equal(response.status, 200)
      assert.deepEqual(authorizations, ['Bearer first', 'Bearer better-1', 'Bearer better-2'])
      assert.deepEqual(asked, [
        { kind: 'insufficient_claims', scope: `${url}/a`, claims, description: '' },
        {
          kind: 'insufficient_scope',
          scope: `${url}/a ${url}/b`,
          claims: undefined,
          description: 'b, please',
        },
      ])
    })

    it('is answered too where it refuses in words, which are the answer if it still refuses', async () => {
      const words = [200, challenge(`error="insufficient_claims", claims="${btoa('{}')}"`), 'words'] as const
      assert.equal(await (await send([...words], [200, {}, 'done'])).json(), 'done')
      assert.deepEqual(authorizations, ['Bearer first', 'Bearer better-1'])
      assert.equal(await (await send([...words])).json(), 'words')
      assert.equal(authorizations.length, 2)
      assert.equal((await send([200, challenge('realm="a"')])).status, 200)
      assert.deepEqual(authorizations, ['Bearer first'])
    })

    it('is not asked a third time', async () => {
      const again = [
        403,
        challenge('error="insufficient_scope"'),
        { error_description: 'Still no.' },
      ] as const
      await assert.rejects(send([...again]), problem(/^The server refuses: Still no\./))
      assert.equal(authorizations.length, 2)
    })

    it('is heard when it refuses without saying what it wants', async () => {
      const role = { error: 'access_denied', error_description: 'This tool needs the app role Reader.' }
      await assert.rejects(send([403, {}, role]), problem(/^The server refuses: .* role Reader\./))
      await assert.rejects(send([401, challenge('error="made_up"')]), problem(/HTTP 401/))
      await assert.rejects(
        send([401, challenge('error="insufficient_claims", claims="%"')]),
        problem(/HTTP 401/),
      )
      assert.deepEqual(asked, [])
    })

    it('says when it is busy until when, and who knows more when it failed', async () => {
      await assert.rejects(send([429, { 'retry-after': '9' }]), problem(/again in 9 seconds/))
      const date = new Date(Date.now() + 3_600_000).toUTCString()
      await assert.rejects(send([503, { 'retry-after': date }]), problem(/again in 3[56]\d\d seconds/))
      await assert.rejects(send([503]), problem(/again in 30 seconds/))
      await assert.rejects(
        send([500, { 'x-request-id': 'r-1' }]),
        problem(/^The server failed[\s\S]*request r-1/),
      )
      assert.equal(asked.length, 0)
    })

    it('is not followed to another address', async () => {
      const response = await send([302, { location: 'https://contoso.example/' }])
      assert.equal(response.status, 302)
    })

    it('is told when it hangs up in the middle', async () => {
      mcp = ({ socket }) => void socket.destroy()
      const cut = authorizedFetch(url, tokens)(url, { method: 'POST' })
      await assert.rejects(cut, problem(/does not answer: (UND_ERR_SOCKET|ECONNRESET)\n[\s\S]*npm start/))
    })
  })

  describe('that speaks MCP', () => {
    const tokens: Tokens = { held: async () => 'token', answer: async () => 'token' }
    const Message = z.object({ id: z.union([z.number(), z.string()]).optional(), method: z.string() })
    const answering = (answer: Record<string, unknown>) => {
      const info = { protocolVersion: '2025-11-25', capabilities: { tools: {} } }
      const tools = [{ name: 'known', inputSchema: { type: 'object' } }]
      const answers: Record<string, Record<string, unknown>> = {
        initialize: { result: { ...info, serverInfo: { name: 'stranger', version: '1' } } },
        'tools/list': { result: { tools } },
        'tools/call': answer,
      }
      mcp = [
        express.json(),
        ({ body }, response) => {
          const { id, method } = Message.parse(body)
          if (id === undefined) return void response.sendStatus(202)
          const unknown = { error: { code: -32601, message: 'Method not found' } }
          response.json({ jsonrpc: '2.0', id, ...(answers[method] ?? unknown) })
        },
      ]
    }
    const call = (name: string, shown: 'tables' | 'json' = 'tables') =>
      connected(url, tokens, (client) => toolAnswer(client, name, {}, shown))

    it('is read where it gives text and files instead of structured content', async () => {
      const content = [
        { type: 'text', text: 'Two rows.\u001b[2J' },
        { type: 'resource', resource: { uri: 'file:///a.csv', text: 'a,b\n1,2' } },
        { type: 'image', data: '', mimeType: 'image/png' },
      ]
      answering({ result: { content } })
      assert.equal(await call('known'), 'Two rows.\\u{1b}[2J\na,b\n1,2\n(image)')
      assert.deepEqual(JSON.parse(await call('known', 'json')), content)
      assert.match(await connected(url, tokens, (client) => toolList(client, 'tables')), /^tool .*\nknown$/)
    })

    it('is understood when it refuses a tool in the protocol’s way', async () => {
      answering({ error: { code: -32602, message: 'Unknown tool' } })
      await assert.rejects(
        call('unknown'),
        problem(/^There is no tool unknown for this caller\.\n.*There are: known\./),
      )
      await assert.rejects(call('known'), problem(/^known says: .*Unknown tool/))
    })

    it('is told apart from one that answers something else', async () => {
      mcp = (_request, response) => void response.json({ hello: 'world' })
      await assert.rejects(call('known'), problem(/^The call came to no end: /))
    })
  })
})

describe('the client id', () => {
  const server = {
    url: 'https://mcp.contoso.example/mcp',
    authorityHost: 'https://login.microsoftonline.com',
    tenantId: TENANT,
    scopes: [],
  }
  const none = { url: server.url, clientId: undefined, environment: undefined }
  const id = '11111111-2222-4333-8444-555555555555'

  it('is the one given, that of the environment, or that of `npm start`', async () => {
    const known = { ENTRA_PUBLIC_CLIENT_ID: id, AZURE_TENANT_ID: TENANT.toUpperCase() }
    assert.equal(await choice({ ...none, clientId: 'given' }, known).clientId(server), 'given')
    assert.equal(await choice(none, known).clientId(server), id)
    const local = { ...server, authorityHost: 'http://localhost:8081' }
    assert.equal(await choice(none, known).clientId(local), id)
    const foreign = { ...known, AZURE_TENANT_ID: id }
    assert.equal(await choice(none, foreign).clientId(local), 'e7b3a9d2-51c8-4f6e-a0b4-2c9d8f1e7a35')
  })

  it('is not taken from an environment of another tenant', async () => {
    const foreign = { ENTRA_PUBLIC_CLIENT_ID: id, AZURE_TENANT_ID: id }
    for (const variables of [foreign, { ENTRA_PUBLIC_CLIENT_ID: id, AZURE_TENANT_ID: '' }])
      await assert.rejects(choice(none, variables).clientId(server), problem(/^No client id is known/))
  })
})
