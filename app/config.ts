import { z } from 'zod'
import { ConfigurationError, type Credential, credentialOf } from './auth/credential.ts'
import type { Declaration } from './declaration.ts'
import { isLoopback, safeUrl } from './loopback.ts'
import { type Permissions, selectPermissions, ToolSetsWrong, USUAL_TOOL_SETS } from './permissions.ts'
import { ConnectionString, type Ingestion } from './telemetry/connection-string.ts'

export type Config = Readonly<{
  port: number
  /** An IP address, or `localhost` for both of loopback. */
  address: string
  tenantId: string
  clientId: string
  /** The exact MCP URL: the PRM's `resource` and an identifier URI of the API app. */
  serverUrl: string
  /** `serverUrl` first, then the MCP URLs of custom domains. */
  serverUrls: readonly string[]
  /** Origins of pages in browsers that may call; those of loopback may where the server is on loopback. */
  allowedOrigins: readonly string[]
  adminGroupId: string
  /** App ids of the clients that may call; undefined: every client. */
  allowedClients: ReadonlySet<string> | undefined
  /** Origin of Entra, without a trailing slash. */
  authorityHost: string
  /** What the selected tool sets (TOOL_SETS) declare. */
  permissions: Permissions
  /** Base URL of each of their downstream APIs, by its name in permissions.json. */
  endpoints: Readonly<Record<string, string>>
  cosmos: Readonly<{ endpoint: string; database: string; container: string; key?: string }>
  credential: Credential
  /** Client id of the managed identity with which the server signs in to Azure's own services, if there is one. */
  azureIdentity: string | undefined
  tokenMaxAgeHours: number
  oboCacheSeconds: number
  /** Of a user, and of an address whose requests carry no good token. */
  rateLimitPerMinute: number
  inFlightPerUser: number
  inFlight: number
  /** How many proxies in front of the server write the client's address into X-Forwarded-For. */
  trustedProxies: number
  logLevel: LogLevel
  /** Undefined: no telemetry. */
  ingestion: Ingestion | undefined
}>

export type LogLevel = 'error' | 'warn' | 'info'

const guid = (what: string) => z.guid(`should be ${what}, a GUID`)
const text = (what: string) => z.string(`should be ${what}`).min(1, `should be ${what}`)
const integer = (low: number, high: number) =>
  z.coerce
    .number(`should be a whole number from ${low} to ${high}`)
    .int(`should be a whole number from ${low} to ${high}`)
    .min(low, `should be at least ${low}`)
    .max(high, `should be at most ${high}`)

/** https anywhere, http on loopback only; without a trailing slash. */
const endpoint = (example: string) => {
  const message = `should be an https URL such as ${example} (http on localhost only)`
  return z
    .string(message)
    .refine((value) => safeUrl(value), message)
    .transform((value) => value.replace(/\/+$/, ''))
}

const isMcpUrl = (value: string) => {
  const url = safeUrl(value)
  return url && (value === `${url.origin}/mcp` || value === url.origin)
}
const mcpMessage =
  'should be the exact MCP URL, https://<host>/mcp (http on localhost only, no trailing slash)'
const McpUrl = z
  .string(mcpMessage)
  .refine(isMcpUrl, mcpMessage)
  .transform((value) => (value.endsWith('/mcp') ? value : `${value}/mcp`))
const McpUrls = z
  .string()
  .transform((value) => value.split(',').map((url) => url.trim()))
  .pipe(z.array(McpUrl))

const originMessage =
  'should be origins such as https://inspector.example.com, comma separated, without a path (http on localhost only)'
const Origins = z
  .string()
  .transform((value) => value.split(',').map((origin) => origin.trim()))
  .pipe(z.array(z.string().refine((origin) => safeUrl(origin)?.origin === origin, originMessage)))
const clientsMessage = 'should be the app ids of allowedClients in infra/permissions.json, comma separated'
const AppIds = z
  .string(clientsMessage)
  .transform((value) => value.split(',').map((id) => id.trim().toLowerCase()))
  .pipe(z.array(z.guid(clientsMessage)))

/** One by one, with what docs/configuration.md says of it. */
export const Environment = z.object({
  AZURE_TENANT_ID: guid('the id of the Entra tenant').describe('The tenant whose tokens are accepted.'),
  ENTRA_CLIENT_ID: guid('the application (client) id of the API app registration').describe(
    'The API app: the audience of every access token.',
  ),
  SERVER_URL: McpUrl.describe('MCP URL of the server. Clients send it as `resource`.'),
  EXTRA_SERVER_URLS: McpUrls.default([]).describe('MCP URLs of custom domains, separated by commas.'),
  ALLOWED_ORIGINS: Origins.default([]).describe(
    'Origins of web pages that may call the server. A server on a loopback address also accepts pages on loopback addresses.',
  ),
  ENTRA_ADMIN_GROUP_ID: guid('the object id of the admin group').describe(
    'The admin group. Its members may call the admin tools.',
  ),
  ALLOWED_CLIENTS: AppIds.optional().describe(
    'Clients that may call the server; by default, every client that gets a token from Entra. Bicep sets it from `allowedClients` in `infra/permissions.json` (`{"name": …, "appId": …}`; the app id `publicClient` means the client that the template declares). Other clients get status 403 and an audit line.',
  ),
  // What it may be depends on the declaration: selectPermissions tests it.
  TOOL_SETS: z
    .string()
    .default(USUAL_TOOL_SETS)
    .describe('The tool sets that the server offers. Bicep sets it to those that it has declared.'),
  COSMOS_ENDPOINT: endpoint('https://<account>.documents.azure.com').describe(
    'The Cosmos DB account that stores the expenses.',
  ),
  COSMOS_DATABASE: text('the name of the Cosmos database').describe('The database in that account.'),
  COSMOS_CONTAINER: text('the name of the Cosmos container').describe('The container in that database.'),
  COSMOS_KEY: text('the key of a Cosmos emulator on localhost')
    .optional()
    .describe('The key of a Cosmos DB emulator on localhost. With any other endpoint it is refused.'),
  PORT: integer(1, 65_535).default(8080).describe('The port that the server listens on.'),
  LISTEN_ADDRESS: z
    .union(
      [z.literal('localhost'), z.ipv4(), z.ipv6()],
      'should be localhost or an IP address such as 0.0.0.0',
    )
    .default('localhost')
    .describe(
      'The address that the server listens on. `localhost` means both loopback addresses; the image sets `0.0.0.0`.',
    ),
  AZURE_CLIENT_ID: guid('the client id of the managed identity')
    .optional()
    .describe(
      'One of three credentials: the managed identity. If there is also a certificate, the managed identity is used for Azure’s own services only.',
    ),
  ENTRA_CLIENT_CERTIFICATE_PATH: text('the path of a PEM file with certificate and private key')
    .optional()
    .describe('One of three credentials: a PEM file with certificate and private key (docs/certificate.md).'),
  ENTRA_CLIENT_SECRET: text('a client secret of the dev app')
    .optional()
    .describe(
      'One of three credentials: a secret of the dev API app. It is refused where there is a managed identity.',
    ),
  IDENTITY_ENDPOINT: z
    .string()
    .optional()
    .describe('Azure sets it where there is a managed identity. Do not set it yourself.'),
  ENTRA_AUTHORITY_HOST: endpoint('https://login.microsoftonline.com')
    .default('https://login.microsoftonline.com')
    .describe('Microsoft Entra ID, or an emulator. The template supports the public cloud only.'),
  TOKEN_MAX_AGE_HOURS: integer(1, 24)
    .default(24)
    .describe('How long after it was issued an access token is accepted.'),
  OBO_CACHE_SECONDS: integer(0, 1800)
    .default(1800)
    .describe('How long the token from an on-behalf-of exchange is kept for later calls.'),
  RATE_LIMIT_PER_MINUTE: integer(1, 1_000_000)
    .default(600)
    .describe(
      'Requests of one user per minute, and refused requests per minute from one client address that is not signed in.',
    ),
  IN_FLIGHT_PER_USER: integer(1, 1_000).default(200).describe('Requests of one user at the same time.'),
  IN_FLIGHT: integer(1, 10_000).default(400).describe('Requests of all users at the same time.'),
  TRUSTED_PROXIES: integer(0, 5)
    .default(0)
    .describe(
      'How many proxies in front of the server write the client’s address into `X-Forwarded-For`; 1 in Azure.',
    ),
  LOG_LEVEL: z
    .enum(['error', 'warn', 'info'], 'should be error, warn or info')
    .default('info')
    .describe('The lowest level of log lines that are written.'),
  APPLICATIONINSIGHTS_CONNECTION_STRING: ConnectionString.optional().describe(
    'Where the server sends telemetry about requests and the calls they wait for (Entra, Graph, Cosmos DB). The telemetry is part of the caller’s trace (`traceparent`) and has no `oid`. The server signs in with its identity.',
  ),
})

type Environment = z.infer<typeof Environment>

/**
 * Reads the server's environment once, at start-up. Throws a ConfigurationError that names every missing
 * or bad variable and says what it should look like; never echoes a value, which may be a secret.
 */
export function loadConfig(variables: NodeJS.ProcessEnv, declaration: Declaration): Config {
  // An empty variable means "not set": that is how azd and compose files pass optional values.
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(set)
  const selected = selectedBy(set.TOOL_SETS, declaration)
  const endpoints = downstreamEndpoints(set, selected.permissions)
  const faults = [
    ...(parsed.success ? [] : faultsOf(parsed.error, set)),
    ...selected.faults,
    ...endpoints.faults,
  ]
  // A declared restriction that did not get here is no permission for everybody.
  if (declaration.allowedClients.length > 0 && set.ALLOWED_CLIENTS === undefined)
    faults.push(`ALLOWED_CLIENTS is missing: it ${clientsMessage}.`)
  if (!parsed.success || !selected.permissions || faults.length > 0)
    throw new ConfigurationError(faults.join('\n'))
  const env = parsed.data
  return {
    port: env.PORT,
    address: env.LISTEN_ADDRESS,
    tenantId: env.AZURE_TENANT_ID.toLowerCase(),
    clientId: env.ENTRA_CLIENT_ID.toLowerCase(),
    serverUrl: env.SERVER_URL,
    serverUrls: [env.SERVER_URL, ...env.EXTRA_SERVER_URLS],
    allowedOrigins: env.ALLOWED_ORIGINS,
    adminGroupId: env.ENTRA_ADMIN_GROUP_ID.toLowerCase(),
    allowedClients: env.ALLOWED_CLIENTS && new Set(env.ALLOWED_CLIENTS),
    authorityHost: env.ENTRA_AUTHORITY_HOST,
    permissions: selected.permissions,
    endpoints: endpoints.urls,
    cosmos: cosmosOf(env),
    credential: credentialOf(env),
    azureIdentity: env.AZURE_CLIENT_ID,
    tokenMaxAgeHours: env.TOKEN_MAX_AGE_HOURS,
    oboCacheSeconds: env.OBO_CACHE_SECONDS,
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    inFlightPerUser: env.IN_FLIGHT_PER_USER,
    inFlight: env.IN_FLIGHT,
    trustedProxies: env.TRUSTED_PROXIES,
    logLevel: env.LOG_LEVEL,
    ingestion: env.APPLICATIONINSIGHTS_CONNECTION_STRING,
  }
}

function faultsOf(error: z.ZodError, set: NodeJS.ProcessEnv): string[] {
  return error.issues.map(({ path, message }) => {
    const name = String(path[0])
    return `${name} ${set[name] === undefined ? 'is missing' : 'is wrong'}: it ${message}.`
  })
}

function selectedBy(toolSets: string | undefined, declaration: Declaration) {
  try {
    return { permissions: selectPermissions(declaration, toolSets), faults: [] }
  } catch (error) {
    if (error instanceof ToolSetsWrong) return { faults: [error.message] }
    throw error
  }
}

/** Where a downstream API is: its variable, `<NAME>_ENDPOINT`, and its own address; undefined: Bicep makes one. */
export function endpointOf({
  name,
  resource,
  endpoint: usual = resource,
}: Declaration['downstreamApis'][number]) {
  return { variable: `${name.toUpperCase()}_ENDPOINT`, usual: usual === 'deployed' ? undefined : usual }
}

/** One for each downstream API in use. */
function downstreamEndpoints(env: NodeJS.ProcessEnv, permissions?: Permissions) {
  const urls: Record<string, string> = {}
  const faults: string[] = []
  for (const api of permissions?.downstreamApis ?? []) {
    const { variable, usual } = endpointOf(api)
    const url = endpoint(usual ?? 'https://<host>').safeParse(env[variable] ?? usual)
    if (url.success) urls[api.name] = url.data
    else
      faults.push(
        `${variable} is ${env[variable] === undefined ? 'missing' : 'wrong'}: it ${url.error.issues[0]?.message}.`,
      )
  }
  return { urls, faults }
}

function cosmosOf(env: Environment): Config['cosmos'] {
  const url = new URL(env.COSMOS_ENDPOINT)
  if (env.COSMOS_KEY && !isLoopback(url)) {
    throw new ConfigurationError(
      'COSMOS_KEY is refused: a key is for an emulator on localhost only. Remove it; in Azure the server signs in with its identity.',
    )
  }
  if (!env.COSMOS_KEY && url.protocol === 'http:') {
    throw new ConfigurationError(
      'COSMOS_KEY is missing: an http COSMOS_ENDPOINT takes a key, never an access token.',
    )
  }
  const cosmos = {
    endpoint: env.COSMOS_ENDPOINT,
    database: env.COSMOS_DATABASE,
    container: env.COSMOS_CONTAINER,
  }
  return env.COSMOS_KEY ? { ...cosmos, key: env.COSMOS_KEY } : cosmos
}
