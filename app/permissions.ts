import { readFileSync } from 'node:fs'
import { z } from 'zod'

const Scope = z.strictObject({
  value: z.string().regex(/^[\w.:-]+$/),
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
  value: z.string().regex(/^[\w.:-]+$/),
  id: z.guid(),
  isEnabled: z.boolean().optional(),
  allowedMemberTypes: z.array(z.enum(['User', 'Application'])).min(1),
  displayName: z.string().min(1),
  description: z.string().min(1),
})

const DownstreamApi = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  displayName: z.string().min(1),
  appId: z.guid(),
  resource: z.url(),
  permissions: z
    .array(z.strictObject({ value: z.string().min(1), id: z.guid(), reason: z.string().min(1) }))
    .min(1),
})

const Tool = z.strictObject({
  name: z.string().min(1),
  scope: z.string().optional(),
  role: z.string().optional(),
  /** The app role with which a service may call it; none: people only. */
  serviceRole: z.string().optional(),
  downstreamApi: z.string().optional(),
  admin: z.boolean(),
})

/** Where the public client may send a code: a program on the same machine, or a site with TLS. Anything else leaks it. */
const RedirectUri = z
  .url()
  .refine((text) => /^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?(\/|$)/.test(text), {
    error: 'must be https, or http on localhost or 127.0.0.1',
  })

const Permissions = z.strictObject({
  scopes: z.array(Scope).min(1),
  appRoles: z.array(AppRole),
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
        roles: z.array(z.string()).min(1),
      }),
    )
    .default([]),
  redirectUris: z
    .array(RedirectUri)
    .min(1)
    .refine((all) => new Set(all).size === all.length, {
      error: 'names a redirect URI twice: Microsoft Graph refuses that',
    }),
  downstreamApis: z.array(DownstreamApi),
  tools: z.array(Tool),
})

export type Permissions = z.infer<typeof Permissions>
export type DownstreamApi = z.infer<typeof DownstreamApi>
export type ToolPermission = z.infer<typeof Tool>

const declaration = new URL('../infra/permissions.json', import.meta.url)

/**
 * Reads `infra/permissions.json`, the one declaration of who may do what, and checks that every name it
 * uses is declared in it. Throws an error that names the file and the fault.
 */
export function loadPermissions(file: URL = declaration): Permissions {
  const permissions = parse(file)
  for (const tool of permissions.tools) {
    const fault = faultOf(tool, permissions)
    if (fault) throw new Error(`infra/permissions.json: tool ${tool.name} ${fault}.`)
  }
  for (const { name, roles } of permissions.services) {
    const unknown = roles.find((role) => !isForServices(role, permissions))
    if (unknown) throw new Error(`infra/permissions.json: service ${name} names ${notForServices(unknown)}.`)
  }
  return permissions
}

function parse(file: URL): Permissions {
  try {
    return Permissions.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw new Error(`infra/permissions.json cannot be used:\n${detail}`)
  }
}

/** Entra assigns a role to a service only where `allowedMemberTypes` says so. */
const isForServices = (role: string, { appRoles }: Permissions) =>
  appRoles.some(
    ({ value, isEnabled, allowedMemberTypes }) =>
      value === role && isEnabled !== false && allowedMemberTypes.includes('Application'),
  )

const notForServices = (role: string) => `${role}, which is no enabled app role for Application`

function faultOf(tool: ToolPermission, permissions: Permissions): string | undefined {
  const { scopes, appRoles, downstreamApis } = permissions
  if (tool.serviceRole && !isForServices(tool.serviceRole, permissions))
    return `names ${notForServices(tool.serviceRole)}`
  if (!tool.scope && !tool.role) return 'needs a scope or a role'
  if (tool.admin && !tool.downstreamApi) return 'is for admins and needs a downstreamApi, for the step-up'
  if (tool.scope && !scopes.some(({ value, isEnabled }) => value === tool.scope && isEnabled !== false))
    return `names the unknown or disabled scope ${tool.scope}`
  if (tool.role && !appRoles.some(({ value, isEnabled }) => value === tool.role && isEnabled !== false))
    return `names the unknown or disabled role ${tool.role}`
  const apis = [...(tool.admin ? ['graph'] : []), ...(tool.downstreamApi ? [tool.downstreamApi] : [])]
  const unknown = apis.find((api) => !downstreamApis.some(({ name }) => name === api))
  return unknown && `needs the undeclared downstream API ${unknown}`
}
