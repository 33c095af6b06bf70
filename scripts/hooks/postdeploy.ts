/** After `azd deploy`: is the server there, does it say what clients need, and would Entra let them sign in? */

import { randomBytes } from 'node:crypto'
import ky from 'ky'
import { z } from 'zod'
import { basicScopes, metadataPaths, resourceMetadata } from '../../app/metadata.ts'
import { loadPermissions } from '../../app/permissions.ts'
import { deploymentOf } from '../cli/environment.ts'
import { Problem } from '../cli/problem.ts'
import { signInRemedyOf } from '../cli/remedies.ts'
import { type Context, runScript } from '../cli/script.ts'

interface Probe {
  authorityHost: string
  tenantId: string
  clientId: string
  /** Registered for that client. */
  redirectUri: string
  /** Fully qualified. */
  scope: string
  /** The MCP URL, as clients send it (RFC 8707). */
  resource: string
}

function authorizeUrl({ authorityHost, tenantId, clientId, redirectUri, scope, resource }: Probe): string {
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: `${scope} offline_access`,
    resource,
    // Of no verifier: nobody redeems a code.
    code_challenge: randomBytes(32).toString('base64url'),
    code_challenge_method: 'S256',
    state: 'probe',
  })
  return `${authorityHost}/${tenantId}/oauth2/v2.0/authorize?${query}`
}

/**
 * What Entra says: a refusal is a redirect with an error, or a page that quotes its AADSTS number. undefined: it shows
 * its sign-in page, so everything before the sign-in is right.
 */
export async function probe(request: Probe): Promise<string | undefined> {
  const response = await ky(authorizeUrl(request), {
    redirect: 'manual',
    throwHttpErrors: false,
    timeout: 30_000,
    retry: { limit: 3, retryOnTimeout: true },
  })
  const location = response.headers.get('location')
  const answered = location ? new URL(location, request.authorityHost).searchParams : undefined
  const text = answered ? (answered.get('error_description') ?? answered.get('error')) : await response.text()
  const [refusal] = /AADSTS\d{4,}[^\r\n<"\\]*/.exec(text ?? '') ?? []
  // A page that merely forwards to another page of Entra carries no error.
  return refusal ?? (answered?.get('error') || response.status >= 400 ? `HTTP ${response.status}` : undefined)
}

/** Registered for Visual Studio Code by Microsoft. */
const VS_CODE = { clientId: 'aebc6443-996d-45c2-90f0-388ff96faa56', redirectUri: 'http://127.0.0.1:33418/' }
const logs = ({ variables: { SERVICE_SERVER_NAME, AZURE_RESOURCE_GROUP } }: Context) =>
  `az containerapp logs show --name ${SERVICE_SERVER_NAME} --resource-group ${AZURE_RESOURCE_GROUP}`

/** A replica that starts takes up to 40 seconds; the ingress answers 404 or 503 until then. */
async function read(context: Context, url: URL): Promise<unknown> {
  const seconds = Math.max(1, Math.min(120, context.environment.DIRECTORY_PATIENCE_SECONDS))
  try {
    return await ky(url, {
      timeout: 10_000,
      totalTimeout: seconds * 1000,
      retry: {
        limit: 100,
        statusCodes: [404, 429, 500, 502, 503, 504],
        retryOnTimeout: true,
        backoffLimit: 5000,
      },
    }).json()
  } catch (error) {
    throw new Problem({
      what: `${url} does not answer: ${error instanceof Error ? error.message : error}`,
      why: 'The container app does not start, or the deployment went elsewhere.',
      fix: `${logs(context)}    (then: azd deploy)`,
    })
  }
}

function requireSame(what: string, live: unknown, wanted: Record<string, unknown>): void {
  const parsed = z.record(z.string(), z.unknown()).safeParse(live)
  const wrong = Object.entries(wanted).filter(
    ([name, value]) => JSON.stringify(parsed.data?.[name]) !== JSON.stringify(value),
  )
  if (wrong.length === 0) return
  throw new Problem({
    what: `${what} says ${wrong.map(([name]) => `${name} = ${JSON.stringify(parsed.data?.[name])}`).join(', ')} instead of ${wrong.map(([, value]) => JSON.stringify(value)).join(', ')}.`,
    why: 'Clients compare these values character by character and would not sign in.',
    fix: 'azd provision --no-state && azd deploy',
  })
}

async function checkServer(context: Context): Promise<string> {
  const { environment, print } = context
  const { SERVER_URL, AZURE_TENANT_ID } = deploymentOf(context)
  const permissions = loadPermissions(environment.TOOL_SETS)
  const health = new URL('/healthz', SERVER_URL)
  requireSame(health.href, await read(context, health), { status: 'ok' })
  print(`✓ ${health.href} answers`)

  const config = { authorityHost: environment.ENTRA_AUTHORITY_HOST, tenantId: AZURE_TENANT_ID }
  const { resource_name: _free, ...wanted } = resourceMetadata(SERVER_URL, config, permissions)
  for (const path of metadataPaths) {
    const url = new URL(path, SERVER_URL)
    requireSame(url.href, await read(context, url), wanted)
    print(`✓ ${url.href} names the resource, the tenant and the scopes`)
  }
  return basicScopes(SERVER_URL, permissions)
}

/** Identifier URIs and pre-authorization reach the sign-in endpoints some minutes after the directory. */
async function checkSignIn(context: Context, scope: string): Promise<void> {
  const { SERVER_URL: resource, AZURE_TENANT_ID: tenantId } = deploymentOf(context)
  const request = { authorityHost: context.environment.ENTRA_AUTHORITY_HOST, tenantId, scope, resource }
  let refusal: string | undefined
  const accepted = await context.directory.until(async () => {
    refusal = await probe({ ...request, ...VS_CODE })
    return refusal === undefined
  }, Boolean)
  if (accepted) return context.print('✓ Entra accepts Visual Studio Code with this scope and resource')
  throw new Problem({
    what: `Entra would refuse Visual Studio Code: ${refusal}`,
    why:
      signInRemedyOf(refusal ?? '')?.cause ??
      'The app registration lacks the exact URL, the scope or the client.',
    fix: 'azd provision --no-state    (then: azd hooks run postdeploy)',
  })
}

export async function postdeploy(context: Context): Promise<void> {
  await checkSignIn(context, await checkServer(context))
  const block = { servers: { expenses: { type: 'http', url: deploymentOf(context).SERVER_URL } } }
  context.print(`\n.vscode/mcp.json:\n\n${JSON.stringify(block, undefined, 2)}`)
}

await runScript(
  import.meta,
  {
    help: `
azd hooks run postdeploy
Asks the deployed server for /healthz and its protected resource metadata, and Entra's authorize endpoint, without
signing in, whether Visual Studio Code may ask for a token with this scope and resource. Prints .vscode/mcp.json.`,
  },
  postdeploy,
)
