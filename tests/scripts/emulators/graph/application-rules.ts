import type { Application } from '../../../../scripts/emulators/directory-objects.ts'
import { refuse } from '../../../../scripts/emulators/graph/errors.ts'
import type { ApplicationPatch } from './application-schema.ts'
import type { Call } from './endpoint.ts'
import { checkUniqueName } from './entity-set.ts'
import { about, duplicateValues, requestError, takenValue } from './errors.ts'

/** A write to an application: `before` is undefined for a new one. */
interface Change {
  before: Application | undefined
  after: Application
  patch: ApplicationPatch
}

/** Throws the refusals of Graph. Nothing has been changed yet. */
export function checkApplication(call: Call, change: Change): void {
  const { applications, deletedItems } = call.directory
  checkUniqueName(change.patch.uniqueName, change.before, [...applications, ...deletedItems.applications])
  checkPasswords(change)
  checkEntitlements(change)
  checkPreAuthorized(change)
  checkIdentifierUris(call, change)
}

function checkPasswords({ patch: { passwordCredentials = [] } }: Change): void {
  if (passwordCredentials.length === 0) return
  throw requestError(
    'Setting passwordCredentials is not supported. Use the addPassword and removePassword methods.',
  )
}

interface Entitlement {
  id: string
  value: string | null
  isEnabled: boolean
}

const entitlements = ({ api, appRoles }: Application): Entitlement[] => [
  ...api.oauth2PermissionScopes,
  ...appRoles,
]

/** A scope or role that somebody may be using must be switched off in a write of its own first. */
function checkEntitlements({ before, after }: Change): void {
  for (const list of [after.api.oauth2PermissionScopes, after.appRoles]) {
    if (hasTwins(list.map(({ id }) => id))) throw duplicateValues()
    const values = list.flatMap(({ value }) => (value === null ? [] : [value.toLowerCase()]))
    if (hasTwins(values)) throw duplicateValues()
  }
  const kept = new Map(entitlements(after).map((one) => [one.id, one]))
  for (const old of before ? entitlements(before) : []) {
    const now = kept.get(old.id)
    if (!old.isEnabled || (now && now.value === old.value)) continue
    throw refuse`400 CannotDeleteOrUpdateEnabledEntitlement: Permission (scope or role) cannot be deleted or updated unless disabled first.`
  }
}

const hasTwins = (values: string[]) => new Set(values).size < values.length

function unknownPermission() {
  const target = 'api.preAuthorizedApplications.delegatedPermissionIds'
  return about(
    target,
    refuse`400 InvalidValue: Property ${target} has a Permission Id that cannot be found in the AppPermissions sets.`,
  )
}

/** A live app's clients may be given only scopes that were there, switched on, before this write. */
function checkPreAuthorized({ before, after, patch }: Change): void {
  const clients = after.api.preAuthorizedApplications
  const said = patch.api?.preAuthorizedApplications !== undefined
  if (said && hasTwins(clients.map(({ appId }) => appId.toLowerCase()))) throw duplicateValues()
  const enabled = (app: Application) =>
    app.api.oauth2PermissionScopes.filter(({ isEnabled }) => isEnabled || !said).map(({ id }) => id)
  const now = new Set(enabled(after))
  const then = before && said ? new Set(enabled(before)) : now
  const ids = clients.flatMap(({ delegatedPermissionIds }) => delegatedPermissionIds)
  if (ids.some((id) => !now.has(id) || !then.has(id))) throw unknownPermission()
}

function checkIdentifierUris({ directory, entra }: Call, change: Change): void {
  const { before, after } = change
  const fresh = after.identifierUris.filter((uri) => !before?.identifierUris.includes(uri))
  if (hasTwins(after.identifierUris)) throw duplicateValues()
  for (const uri of fresh) {
    checkForm(uri, change, entra.tenantId)
    const others = [...directory.applications, ...directory.microsoftApplications]
    if (others.some((app) => app.id !== after.id && app.identifierUris.includes(uri)))
      throw takenValue('identifierUris')
  }
}

/**
 * The policy for URIs is relaxed for apps with version 2 tokens only, and such an app must be one already: the
 * order is part of Microsoft's instructions for MCP servers.
 */
function checkForm(uri: string, { before, after }: Change, tenantId: string): void {
  if (!URL.canParse(uri) || uri.endsWith('/'))
    throw refuse`400 InvalidValue: Invalid value specified for property 'identifierUris' of resource 'Application'.`
  if (before?.api.requestedAccessTokenVersion === 2) return
  const own = [`api://${after.appId}`, `api://${tenantId}`]
  if (own.some((form) => uri === form || uri.startsWith(`${form}/`))) return
  throw about(
    'identifierUris',
    refuse`400 HostNameNotOnVerifiedDomain: Values of identifierUris property must use a verified domain of the organization or its subdomain: '${uri}'`,
  )
}
