/** How Microsoft Graph finds an object by its key, and what hangs on it. */
import type { GraphType } from '../bicep/declared.ts'
import type { Json } from '../bicep/template.ts'
import { quoted } from '../graph/graph-objects.ts'
import type { DesiredObject } from './desired.ts'
import type { ActualProperties, Properties } from './properties.ts'

/** Where to look; `pick` tells which of a list it is. */
export interface Lookup {
  path: string
  pick?: (one: ActualProperties) => boolean
}

/** What of a group is read besides what is declared; of apps Graph shows everything unasked, which is what we want. */
const OF_GROUPS = [
  ...['id', 'displayName', 'uniqueName', 'groupTypes', 'membershipRule', 'membershipRuleProcessingState'],
  ...['isAssignableToRole', 'mailEnabled', 'securityEnabled', 'visibility'],
]
const RELATIONSHIPS = ['members', 'owners']
/** Graph knows no such list of other types. */
const RELATED: Partial<Record<GraphType, readonly string[]>> = {
  groups: RELATIONSHIPS,
  applications: ['owners'],
  servicePrincipals: ['owners'],
}

const isSame = (actual: Json | undefined, desired: string) =>
  typeof actual === 'string' && actual.toLowerCase() === desired.toLowerCase()

const keyed = (
  noun: string,
  value: string | undefined,
  select: readonly string[] = [],
): Lookup | undefined =>
  value === undefined
    ? undefined
    : { path: `/${noun}=${quoted(value)})${select.length > 0 ? `?$select=${select.join(',')}` : ''}` }

type Texts = (name: string) => string | undefined

function grantLookup(text: Texts): Lookup | undefined {
  const [client, resource, consent] = [text('clientId'), text('resourceId'), text('consentType')]
  if (client === undefined || resource === undefined || consent === undefined) return undefined
  const principal = text('principalId') ?? null
  return {
    path: `/oauth2PermissionGrants?$filter=clientId eq ${quoted(client)}`,
    pick: (one) =>
      isSame(one.resourceId, resource) &&
      one.consentType === consent &&
      (consent === 'AllPrincipals' || one.principalId === principal),
  }
}

function assignmentLookup(text: Texts): Lookup | undefined {
  const [resource, principal, role] = [text('resourceId'), text('principalId'), text('appRoleId')]
  if (resource === undefined || principal === undefined || role === undefined) return undefined
  return {
    path: `/servicePrincipals/${encodeURIComponent(resource)}/appRoleAssignedTo`,
    pick: (one) => isSame(one.principalId, principal) && isSame(one.appRoleId, role),
  }
}

function credentialLookup(text: Texts, by: 'template' | 'hook'): Lookup | undefined {
  const [app, name] = (text('name') ?? '').split('/')
  if (!app || !name) return undefined
  const [issuer, subject] = [text('issuer'), text('subject')]
  // As the hook does it: Entra takes one issuer and subject once per app, whatever the name.
  const isMeant = (one: ActualProperties) =>
    by === 'hook' && subject !== undefined && one.issuer === issuer && one.subject === subject
  return {
    path: `/applications(uniqueName=${quoted(app)})/federatedIdentityCredentials`,
    pick: (one) => one.name === name || isMeant(one),
  }
}

/** undefined: the key is not known yet. */
export function findLookup({ type, by }: DesiredObject, properties: Properties): Lookup | undefined {
  const text: Texts = (name) => {
    const value = properties[name]
    return typeof value === 'string' ? value : undefined
  }
  const declared = Object.keys(properties).filter((name) => !RELATIONSHIPS.includes(name))
  if (type === 'applications') return keyed('applications(uniqueName', text('uniqueName'))
  if (type === 'groups')
    return keyed('groups(uniqueName', text('uniqueName'), [...new Set([...OF_GROUPS, ...declared])])
  // Of somebody else's app its name is enough: Microsoft's own have hundreds of scopes and roles.
  if (type === 'servicePrincipals')
    return keyed(
      'servicePrincipals(appId',
      text('appId'),
      by === 'hook' ? ['id', 'appId', 'displayName'] : [],
    )
  if (type === 'oauth2PermissionGrants') return grantLookup(text)
  if (type === 'appRoleAssignedTo') return assignmentLookup(text)
  if (type === 'applications/federatedIdentityCredentials') return credentialLookup(text, by)
  const user = text('userPrincipalName')
  return user === undefined
    ? undefined
    : { path: `/users/${encodeURIComponent(user)}?$select=id,displayName` }
}

export type Lists = [name: string, path: string][]

const related = (path: string, name: string): Lists[number] => [
  name,
  `${path.replace(/\?.*$/, '')}/${name}?$select=id,displayName`,
]

/** The related objects that are declared and have to be read besides, by the path that finds the object. */
export const listRelationships = (type: GraphType, properties: Properties, path: string): Lists =>
  (RELATED[type] ?? []).filter((name) => name in properties).map((name) => related(path, name))

/** What hangs on an object, declared or not, by the path that finds it. */
export function listSurroundings(type: GraphType, path: string): Lists {
  if (!(type in RELATED)) return []
  const credentials = 'federatedIdentityCredentials'
  return [
    related(path, 'owners'),
    ...(type === 'applications' ? ([[credentials, `${path}/${credentials}`]] satisfies Lists) : []),
  ]
}

/** What hangs on a service principal by its id. */
export const listAccess = (id: string): Lists => [
  ['appRoleAssignedTo', `/servicePrincipals/${id}/appRoleAssignedTo`],
  ['appRoleAssignments', `/servicePrincipals/${id}/appRoleAssignments`],
  ['grantsAsClient', `/oauth2PermissionGrants?$filter=clientId eq ${quoted(id)}`],
  ['grantsAsResource', `/oauth2PermissionGrants?$filter=resourceId eq ${quoted(id)}`],
]
