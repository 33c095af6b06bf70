import { readFileSync } from 'node:fs'
import { z } from 'zod'

const Word = z.string().regex(/^[\w.:-]+$/)

const Scope = z.strictObject({
  value: Word,
  id: z.guid(),
  type: z.enum(['User', 'Admin']),
  // false for one deployment before a scope is removed: Microsoft Graph removes disabled ones only.
  isEnabled: z.boolean().optional(),
  adminConsentDisplayName: z.string().min(1),
  adminConsentDescription: z.string().min(1),
  userConsentDisplayName: z.string().min(1),
  userConsentDescription: z.string().min(1),
})

const AppRole = z.strictObject({
  value: Word,
  id: z.guid(),
  isEnabled: z.boolean().optional(),
  allowedMemberTypes: z.array(z.enum(['User', 'Application'])).min(1),
  displayName: z.string().min(1),
  description: z.string().min(1),
})

const ApiName = z.string().regex(/^[a-z][a-z0-9_]*$/)

/** An API in the catalogue; a tool set says which of its permissions are asked for. */
const Api = z.strictObject({
  name: ApiName,
  displayName: z.string().min(1),
  appId: z.guid(),
  /** What tokens are asked for: `<resource>/.default`. */
  resource: z.url().or(z.guid()),
  /** Where it is, if `resource` is not its address. `deployed`: only `<NAME>_ENDPOINT` says where. */
  endpoint: z.url().or(z.literal('deployed')).optional(),
})

const DownstreamPermission = z.strictObject({
  api: ApiName,
  value: z.string().min(1),
  id: z.guid(),
  reason: z.string().min(1),
})

const Tool = z.strictObject({
  name: z.string().min(1),
  scope: z.string().optional(),
  role: z.string().optional(),
  /** The app role with which a service may call it; none: people only. */
  serviceRole: z.string().optional(),
  admin: z.boolean(),
  /** What it cannot do without: it is refused where a token of one of them cannot be had. */
  downstreamApis: z.array(ApiName).default([]),
  /** What it asks where their tool sets are on, and does without where one of them fails. */
  sources: z.array(ApiName).default([]),
})

const ToolSet = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string().min(1),
  scopes: z.array(Scope),
  appRoles: z.array(AppRole),
  downstreamPermissions: z.array(DownstreamPermission),
  tools: z.array(Tool).min(1),
})

/** Where the public client may send a code: a program on the same machine, or a site with TLS. Anything else leaks it. */
const RedirectUri = z
  .url()
  .refine((text) => /^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?(\/|$)/.test(text), {
    error: 'must be https, or http on localhost or 127.0.0.1',
  })

const Declaration = z.strictObject({
  /** Always declared, whichever tool sets are on. */
  scopes: z.array(Scope).min(1),
  clients: z.array(z.strictObject({ name: z.string().min(1), appId: z.guid() })),
  /** Who may call with a token that Entra gives for this server; none: every client. */
  allowedClients: z
    .array(z.strictObject({ name: z.string().min(1), appId: z.guid().or(z.literal('publicClient')) }))
    .default([]),
  /** Which services hold which app roles: reviewed here, assigned by infra/identity.bicep. */
  services: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        /** Object id of its service principal (of a managed identity: its principal id), not its client id. */
        principalId: z.guid(),
        roles: z.array(Word).min(1),
      }),
    )
    .default([]),
  redirectUris: z
    .array(RedirectUri)
    .min(1)
    .refine((all) => new Set(all).size === all.length, {
      error: 'names a redirect URI twice: Microsoft Graph refuses that',
    }),
  downstreamApis: z.array(Api),
  toolSets: z.array(ToolSet).min(1),
})

/** `infra/permissions.json`: everything that can be switched on. */
export type Declaration = z.infer<typeof Declaration>
export type ToolSet = z.infer<typeof ToolSet>
export type ToolPermission = z.infer<typeof Tool>

const place = new URL('../infra/permissions.json', import.meta.url)

/**
 * Reads `infra/permissions.json`, the one declaration of who may do what, and checks that every name it
 * uses is declared in it. Throws an error that names the file and the fault.
 */
export const loadDeclaration = (file: URL = place): Declaration => readDeclaration(readFileSync(file, 'utf8'))

/** The same from a text. */
export function readDeclaration(text: string): Declaration {
  const declaration = parse(text)
  const fault = [
    ...twice(declaration),
    ...declaration.services.flatMap((service) => serviceFaults(service, declaration.toolSets)),
    ...declaration.toolSets.flatMap((set) => faultsOf(set, declaration)),
  ][0]
  if (fault) throw new Error(`infra/permissions.json: ${fault}.`)
  return declaration
}

function parse(text: string): Declaration {
  try {
    return Declaration.parse(JSON.parse(text))
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw new Error(`infra/permissions.json cannot be used:\n${detail}`)
  }
}

/** Entra takes one value and one id for one permission of an app, roles included. */
function twice({ scopes, downstreamApis, toolSets }: Declaration): string[] {
  const offered = [...scopes, ...toolSets.flatMap((set) => [...set.scopes, ...set.appRoles])]
  const names: [kind: string, all: string[]][] = [
    ['tool set', toolSets.map(({ name }) => name)],
    ['tool', toolSets.flatMap(({ tools }) => tools.map(({ name }) => name))],
    ['downstream API', downstreamApis.map(({ name }) => name)],
    ['scope or role', offered.map(({ value }) => value)],
    ['id', offered.map(({ id }) => id.toLowerCase())],
  ]
  return names.flatMap(([kind, all]) =>
    all
      .filter((name, index) => all.indexOf(name) !== index)
      .map((name) => `${kind} ${name} stands there twice`),
  )
}

function faultsOf(set: ToolSet, declaration: Declaration): string[] {
  const all = declaration.toolSets.flatMap(({ downstreamPermissions }) => downstreamPermissions)
  const asked = set.downstreamPermissions.flatMap(({ api, value, id }) => {
    if (!declaration.downstreamApis.some(({ name }) => name === api))
      return [`tool set ${set.name} asks for ${value} of the undeclared downstream API ${api}`]
    const differs = all.some((other) => other.api === api && other.value === value && other.id !== id)
    return differs ? [`${value} of ${api} has two ids`] : []
  })
  const tools = set.tools.map((tool) => [tool.name, faultOf(tool, set, declaration)])
  return [...asked, ...tools.flatMap(([name, fault]) => (fault ? [`tool ${name} ${fault}`] : []))]
}

const isOn = (value: string, list: readonly { value: string; isEnabled?: boolean | undefined }[]) =>
  list.some((one) => one.value === value && one.isEnabled !== false)

/** Entra assigns a role to a service only where `allowedMemberTypes` says so. */
const isForServices = (role: string, roles: ToolSet['appRoles']) =>
  isOn(
    role,
    roles.filter(({ allowedMemberTypes }) => allowedMemberTypes.includes('Application')),
  )

const notForServices = (role: string) => `${role}, which is no enabled app role for Application`

const serviceFaults = ({ name, roles }: Declaration['services'][number], toolSets: readonly ToolSet[]) =>
  roles
    .filter((role) => !toolSets.some(({ appRoles }) => isForServices(role, appRoles)))
    .map((role) => `service ${name} names ${notForServices(role)}`)

/** A tool stands on its own set and on what is always there: any other set may be off. */
function faultOf(tool: ToolPermission, set: ToolSet, { scopes, downstreamApis }: Declaration) {
  if (tool.serviceRole && !isForServices(tool.serviceRole, set.appRoles))
    return `names ${notForServices(tool.serviceRole)} of its set`
  if (!tool.scope && !tool.role) return 'needs a scope or a role'
  if (tool.admin && !tool.downstreamApis.includes('graph'))
    return 'is for admins and needs the downstream API graph, for the group and the step-up'
  if (tool.scope && !isOn(tool.scope, [...scopes, ...set.scopes]))
    return `names the unknown or disabled scope ${tool.scope}`
  if (tool.role && !isOn(tool.role, set.appRoles)) return `names the unknown or disabled role ${tool.role}`
  const unasked = tool.downstreamApis.find(
    (api) => !set.downstreamPermissions.some((permission) => permission.api === api),
  )
  if (unasked) return `needs the downstream API ${unasked}, of which its set asks no permission`
  const unknown = tool.sources.find((api) => !downstreamApis.some(({ name }) => name === api))
  return unknown && `asks the undeclared downstream API ${unknown}`
}
