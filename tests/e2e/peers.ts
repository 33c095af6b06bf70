import assert from 'node:assert/strict'
import * as v2 from '@modelcontextprotocol/client'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { asProvider, SignIn, withLoginHint } from './sign-in.ts'
import { type System, type UserName, upnOf } from './system.ts'

/** What the journey needs of a client, whichever SDK it comes from. */
export type Peer = {
  signIn: SignIn
  tools: () => Promise<string[]>
  call: (
    name: string,
    args: Record<string, unknown>,
  ) => Promise<{ structuredContent?: unknown; isError?: boolean | undefined; text: string }>
  /** Goes on after a sign-in that a call has asked for, with the code that it gave. */
  finishAuth: () => Promise<void>
  close: () => Promise<void>
}

export async function connectV1(system: System, name: UserName): Promise<Peer> {
  const signIn = new SignIn(system.seed.clientId, withLoginHint(upnOf(system.seed, name)))
  const transport = () =>
    new StreamableHTTPClientTransport(new URL(system.mcp), { authProvider: asProvider(signIn) })
  const client = new Client({ name: 'v1', version: '1' })
  const first = transport()
  type Transport = Parameters<Client['connect']>[0]
  await assert.rejects(client.connect(first as Transport), UnauthorizedError)
  await first.finishAuth(signIn.code)
  const second = transport()
  await client.connect(second as Transport)
  return {
    signIn,
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool, args) => {
      const { structuredContent, isError, content } = await client.callTool({ name: tool, arguments: args })
      return { structuredContent, isError: isError === true, text: JSON.stringify(content) }
    },
    finishAuth: () => second.finishAuth(signIn.code),
    close: () => client.close(),
  }
}

const connectV2 =
  (mode: v2.VersionNegotiationMode, version: string) =>
  async (system: System, name: UserName): Promise<Peer> => {
    const signIn = new SignIn(system.seed.clientId, withLoginHint(upnOf(system.seed, name)))
    const transport = () =>
      new v2.StreamableHTTPClientTransport(new URL(system.mcp), {
        authProvider: signIn as unknown as v2.OAuthClientProvider,
      })
    const client = () => new v2.Client({ name: 'v2', version: '2' }, { versionNegotiation: { mode } })
    const first = transport()
    await assert.rejects(client().connect(first), v2.UnauthorizedError)
    await first.finishAuth(signIn.code)
    const connected = client()
    const second = transport()
    await connected.connect(second)
    assert.equal(connected.getNegotiatedProtocolVersion(), version)
    return {
      signIn,
      tools: async () => (await connected.listTools()).tools.map((tool) => tool.name),
      call: async (tool, args) => {
        const { structuredContent, isError, content } = await connected.callTool({
          name: tool,
          arguments: args,
        })
        return { structuredContent, isError: isError === true, text: JSON.stringify(content) }
      },
      finishAuth: () => second.finishAuth(signIn.code),
      close: () => connected.close(),
    }
  }

/** Clients of both SDKs, each signed in by its own discovery, in every era that it can speak. */
export const peers = {
  'the v1 client': connectV1,
  'the v2 client pinned to 2025-11-25': connectV2('legacy', '2025-11-25'),
  'the v2 client pinned to 2026-07-28': connectV2({ pin: '2026-07-28' }, '2026-07-28'),
  'the v2 client that finds out': connectV2('auto', '2026-07-28'),
}
