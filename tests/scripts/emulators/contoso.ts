import { createHash } from 'node:crypto'
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { loadPermissions } from '../../../app/permissions.ts'
import type { Application } from '../../../scripts/emulators/directory-objects.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { manage } from './graph/managed-directory.ts'
import { startTenant, type Tenant } from './tenant.ts'

export const MCP = 'http://localhost:8080/mcp'
export const SCOPE = `${MCP}/user_impersonation`
export const GRAPH_SCOPE = 'https://graph.microsoft.com/User.Read'
export const VS_CODE = 'aebc6443-996d-45c2-90f0-388ff96faa56'
export const AZURE_CLI = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
export const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0'
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
export const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/

const Refusal = z.object({
  error: z.string(),
  error_description: z.string(),
  error_codes: z.array(z.number()),
  suberror: z.string().optional(),
  claims: z.string().optional(),
})
const Tokens = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  id_token: z.string().optional(),
  scope: z.string().optional(),
})

type Form = Record<string, string>

/** The seeded tenant on a free port, with a clock that only moves when told to. */
export async function startContoso() {
  const seeded = seedDirectory({ mcpUrls: [MCP], permissions: loadPermissions() })
  const seed = { ...seeded, directory: manage(seeded.directory) }
  const clock = { now: Date.now() }
  const tenant = await startTenant({ ...seed, port: 0, now: () => clock.now })
  const oauth = `${tenant.url}/${seed.tenantId}/oauth2/v2.0`
  const pass = (seconds: number) => {
    clock.now += seconds * 1000
  }
  const post = (form: Form, path = 'token') =>
    fetch(`${oauth}/${path}`, { method: 'POST', body: new URLSearchParams(form) })
  const application = (appId: string): Application => {
    const app = seed.directory.application(appId)
    if (!app) throw new Error(`no application ${appId}`)
    return app
  }
  return {
    seed,
    tenant,
    oauth,
    pass,
    clock,
    post,
    application,
    /** GET authorize for the public client; parameters override, '' removes one. */
    authorize: (form: Form = {}) => {
      const usual = {
        client_id: seed.clientId,
        redirect_uri: 'http://localhost:5000/callback',
        response_type: 'code',
        scope: SCOPE,
        state: 'xyz',
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
        login_hint: 'alice@contoso.example',
      }
      const given = Object.entries({ ...usual, ...form }).filter(([, value]) => value !== '')
      return fetch(`${oauth}/authorize?${new URLSearchParams(given)}`, { redirect: 'manual' })
    },
    tokens: async (form: Form) => {
      const response = await post(form)
      const body: unknown = await response.json()
      if (!response.ok) throw new Error(JSON.stringify(body))
      return Tokens.parse(body)
    },
    refusal: async (form: Form, path?: string) => {
      const response = await post(form, path)
      return { status: response.status, ...Refusal.parse(await response.json()) }
    },
    secretOf: (appId: string, lifetimeSeconds = 3600) =>
      seed.directory.addPassword(application(appId), 'test', new Date(clock.now + lifetimeSeconds * 1000))
        .secretText,
  }
}

export type Contoso = Awaited<ReturnType<typeof startContoso>>

/** The parameters that a redirect carries back. */
export function returned(response: Response): URLSearchParams {
  const location = response.headers.get('location')
  if (location === null) throw new Error(`no redirect but ${response.status}`)
  return new URL(location).searchParams
}

export const codeOf = (response: Response) => returned(response).get('code') ?? ''

export function claimsOf(token: string | undefined) {
  if (token === undefined) throw new Error('no token')
  return decodeJwt(token)
}

/** Carries MSAL's requests, which go to login.microsoftonline.com, to the emulator. */
export function rerouted({ url }: Pick<Tenant, 'url'>): INetworkModule {
  const send = async <T>(
    method: string,
    address: string,
    options?: NetworkRequestOptions,
  ): Promise<NetworkResponse<T>> => {
    const response = await fetch(address.replace('https://login.microsoftonline.com', url), {
      method,
      ...(options?.headers ? { headers: options.headers } : {}),
      ...(options?.body === undefined ? {} : { body: options.body }),
    })
    const body: T = JSON.parse(await response.text())
    return { status: response.status, headers: Object.fromEntries(response.headers), body }
  }
  return {
    sendGetRequestAsync: (address, options) => send('GET', address, options),
    sendPostRequestAsync: (address, options) => send('POST', address, options),
  }
}
