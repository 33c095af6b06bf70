/** What infra/main.bicepparam takes from the azd environment: a wrong value is refused before anything is deployed. */
import { z } from 'zod'
import { safeUrl } from '../../app/loopback.ts'
import { Problem } from './problem.ts'

/** The items of a list; one that is named twice is one. */
export const itemsOf = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  ),
]

/** "West Europe" and "westeurope" are one region; names of Azure resources are derived from it. */
const regionOf = (text: string): string => text.replaceAll(' ', '').toLowerCase()

/** Clients send it and Entra compares it character by character: nothing but scheme, host and path. */
const isMcpUrl = (text: string) => {
  const url = safeUrl(text)
  return url !== undefined && text === `${url.origin}/mcp`
}

const text = (should: string, accepts: (value: string) => boolean) =>
  z.string().refine(accepts, `should be ${should}`).optional()
const guid = z.guid('should be a GUID').optional()
const flag = text('true or false', (value) => /^(true|false)$/i.test(value))
const isGuid = (value: string) => z.guid().safeParse(value).success
const listOf = (should: string, accepts: (item: string) => boolean, most = Number.POSITIVE_INFINITY) =>
  text(should, (value) => itemsOf(value).length <= most && itemsOf(value).every(accepts))
const oneOf = (...all: string[]) => text(all.join(' or '), (value) => all.includes(value))
const integer = (least: number, most: number) =>
  text(
    `an integer from ${least} to ${most}`,
    (value) => /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most,
  )

const Parameters = z.object({
  // Of the name rg-<name>; azd allows no other characters.
  AZURE_ENV_NAME: text(
    '1 to 40 letters, digits, hyphens, underscores, dots and parentheses, no dot at the end',
    (value) => /^[\w.()-]{0,39}[\w()-]$/.test(value),
  ),
  AZURE_LOCATION: text('the name of a region, like westeurope', (value) =>
    /^[a-z][a-z0-9]+$/.test(regionOf(value)),
  ),
  AZURE_PRINCIPAL_ID: guid,
  AZURE_PRINCIPAL_TYPE: oneOf('User', 'ServicePrincipal'),
  CI: z.string().optional(),
  SERVICE_SERVER_RESOURCE_EXISTS: flag,
  ADMIN_MEMBERS: listOf('GUIDs, separated by commas', isGuid),
  EXISTING_ADMIN_GROUP_ID: guid,
  RESTRICT_TO_ASSIGNED_USERS: flag,
  EXTRA_CLIENTS: listOf('at most 50 GUIDs, separated by commas', isGuid, 50),
  EXTRA_SERVER_URLS: listOf(
    'at most 10 URLs like https://mcp.contoso.com/mcp, separated by commas: lower case, without user, query, fragment or trailing slash',
    (url) => url.startsWith('https:') && isMcpUrl(url),
    10,
  ),
  ALLOWED_ORIGINS: listOf(
    'at most 10 origins like https://inspector.contoso.com, separated by commas: lower case, without a path',
    (origin) => safeUrl(origin)?.origin === origin,
    10,
  ),
  TOOL_SETS: z.string().optional(),
  SERVICE_MANAGEMENT_REFERENCE: text('at most 256 characters', (value) => value.length <= 256),
  SEARCH_SKU: oneOf('free', 'basic'),
  MIN_REPLICAS: integer(0, 30),
  MAX_REPLICAS: integer(1, 100),
  ALERT_EMAIL: text(
    'one e-mail address',
    (value) => value.length <= 254 && z.email().safeParse(value).success,
  ),
  ALLOW_DEVICE_CODE: flag,
  LOCAL_DEVELOPMENT: flag,
  LOCAL_SERVER_URL: text(
    'http://localhost:<port>/mcp or https://<host>/mcp, 20 to 100 characters: lower case, without user, query, fragment or trailing slash',
    (value) => value.length >= 20 && value.length <= 100 && isMcpUrl(value),
  ),
})
type Parameters = z.infer<typeof Parameters>

/** The values are right, each by itself; do they also agree? */
function disagreements(values: Parameters, toolSets: readonly string[]): string[] {
  const { TOOL_SETS } = values
  const { MIN_REPLICAS = '0', MAX_REPLICAS = '10', LOCAL_SERVER_URL, EXTRA_SERVER_URLS = '' } = values
  return [
    TOOL_SETS?.split(',').some((name) => !toolSets.includes(name.trim())) &&
      `TOOL_SETS "${TOOL_SETS}" should be names of tool sets, separated by commas: ${toolSets.join(', ')}`,
    Number(MIN_REPLICAS) > Number(MAX_REPLICAS) &&
      `MIN_REPLICAS ${MIN_REPLICAS} should not be greater than MAX_REPLICAS ${MAX_REPLICAS}`,
    LOCAL_SERVER_URL &&
      itemsOf(EXTRA_SERVER_URLS).includes(LOCAL_SERVER_URL) &&
      `LOCAL_SERVER_URL ${LOCAL_SERVER_URL} should not be one of EXTRA_SERVER_URLS: a tenant accepts a URL for one app`,
  ].flatMap((fault) => fault || [])
}

/** What is set and has no effect. */
function unused(values: Parameters) {
  const { ADMIN_MEMBERS, EXISTING_ADMIN_GROUP_ID, LOCAL_DEVELOPMENT, LOCAL_SERVER_URL } = values
  return [
    values.SEARCH_SKU &&
      !itemsOf(values.TOOL_SETS ?? '').includes('documents') &&
      'SEARCH_SKU is not used: the tool set documents is not on (TOOL_SETS)',
    ADMIN_MEMBERS &&
      EXISTING_ADMIN_GROUP_ID &&
      'ADMIN_MEMBERS is not used: EXISTING_ADMIN_GROUP_ID has members of its own',
    LOCAL_SERVER_URL &&
      LOCAL_DEVELOPMENT?.toLowerCase() === 'false' &&
      'LOCAL_SERVER_URL is not used: LOCAL_DEVELOPMENT is false',
  ].filter(Boolean)
}

/** Returns what is worth saying. Empty counts as not set. `toolSets`: the names of those that are declared. */
export function checkParameters(
  variables: Readonly<Record<string, string | undefined>>,
  toolSets: readonly string[],
): string | undefined {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value))
  const { data, error } = Parameters.safeParse(given)
  const faults = data
    ? disagreements(data, toolSets)
    : error.issues.map(({ path: [name], message }) => `${String(name)} "${given[String(name)]}" ${message}`)
  if (data && faults.length === 0) return unused(data).join('; ') || undefined
  throw new Problem({
    what: `The azd environment has wrong values:\n${faults.map((fault) => `    ${fault}`).join('\n')}`,
    why: 'The deployment would fail half-way, or make what nobody can use.',
    fix: 'azd env set <NAME> <value>    ("" takes a variable back)',
  })
}
