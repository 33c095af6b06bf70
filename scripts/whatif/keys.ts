/** How Microsoft Graph finds an object by its key. */

import type { GraphType } from '../bicep/declared.ts'
import type { Json } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { WantedProperties } from './open.ts'

export type LiveProperties = Record<string, Json>

/** Where to look; `pick` tells which of a list it is. */
export interface Lookup {
  path: string
  pick?: (one: LiveProperties) => boolean
}

const quoted = (value: string) => `'${encodeURIComponent(value.replaceAll("'", "''"))}'`

/** What of a group is read besides what is declared; of apps Graph shows everything unasked, which is what we want. */
const OF_GROUPS = [
  ...['id', 'displayName', 'uniqueName', 'groupTypes', 'membershipRule', 'membershipRuleProcessingState'],
  ...['isAssignableToRole', 'mailEnabled', 'securityEnabled', 'visibility'],
]
const RELATIONSHIPS = ['members', 'owners']

const same = (live: Json | undefined, wanted: string) =>
  typeof live === 'string' && live.toLowerCase() === wanted.toLowerCase()

const keyed = (noun: string, value: string): Lookup => ({ path: `/${noun}=${quoted(value)})` })

function keyedGroup(value: string, properties: WantedProperties): Lookup {
  const declared = Object.keys(properties).filter((name) => !RELATIONSHIPS.includes(name))
  const select = [...new Set([...OF_GROUPS, ...declared])]
  return { path: `${keyed('groups(uniqueName', value).path}?$select=${select.join(',')}` }
}

/** Of somebody else's app its name is enough: Microsoft's own have hundreds of scopes and roles. */
const keyedPrincipal = (appId: string, by: 'template' | 'hook'): Lookup => ({
  path: `${keyed('servicePrincipals(appId', appId).path}${by === 'hook' ? '?$select=id,appId,displayName' : ''}`,
})

type Texts = (name: string) => string | undefined

function grantLookup(text: Texts): Lookup | undefined {
  const [client, resource, consent] = [text('clientId'), text('resourceId'), text('consentType')]
  if (client === undefined || resource === undefined || consent === undefined) return undefined
  const principal = text('principalId') ?? null
  return {
    path: `/oauth2PermissionGrants?$filter=clientId eq ${quoted(client)}`,
    pick: (one) =>
      same(one.resourceId, resource) &&
      one.consentType === consent &&
      (consent === 'AllPrincipals' || one.principalId === principal),
  }
}

function assignmentLookup(text: Texts): Lookup | undefined {
  const [resource, principal, role] = [text('resourceId'), text('principalId'), text('appRoleId')]
  if (resource === undefined || principal === undefined || role === undefined) return undefined
  return {
    path: `/servicePrincipals/${encodeURIComponent(resource)}/appRoleAssignedTo`,
    pick: (one) => same(one.principalId, principal) && same(one.appRoleId, role),
  }
}

function credentialLookup(text: Texts, by: 'template' | 'hook'): Lookup | undefined {
  const [app, name] = (text('name') ?? '').split('/')
  if (!app || !name) return undefined
  const [issuer, subject] = [text('issuer'), text('subject')]
  // As the hook does it: Entra takes one issuer and subject once per app, whatever the name.
  const isMeant = (one: LiveProperties) =>
    by === 'hook' && subject !== undefined && one.issuer === issuer && one.subject === subject
  return {
    path: `/applications(uniqueName=${quoted(app)})/federatedIdentityCredentials`,
    pick: (one) => one.name === name || isMeant(one),
  }
}

/** undefined: the key is not known yet. */
export function lookupOf(
  { type, by }: { type: GraphType; by: 'template' | 'hook' },
  properties: WantedProperties,
): Lookup | undefined {
  const text: Texts = (name) => {
    const value: Value | undefined = properties[name]
    return value instanceof Unknown || typeof value !== 'string' ? undefined : value
  }
  const name = text('uniqueName')
  if (type === 'applications') return name === undefined ? undefined : keyed('applications(uniqueName', name)
  if (type === 'groups') return name === undefined ? undefined : keyedGroup(name, properties)
  if (type === 'servicePrincipals') {
    const appId = text('appId')
    return appId === undefined ? undefined : keyedPrincipal(appId, by)
  }
  if (type === 'oauth2PermissionGrants') return grantLookup(text)
  if (type === 'appRoleAssignedTo') return assignmentLookup(text)
  if (type === 'applications/federatedIdentityCredentials') return credentialLookup(text, by)
  const user = text('userPrincipalName')
  return user === undefined
    ? undefined
    : { path: `/users/${encodeURIComponent(user)}?$select=id,displayName` }
}

const LISTS: Partial<Record<GraphType, [name: string, path: string][]>> = {
  applications: [
    ['owners', '/owners?$select=id,displayName'],
    ['federatedIdentityCredentials', '/federatedIdentityCredentials'],
  ],
  groups: [['owners', '/owners?$select=id,displayName']],
  servicePrincipals: [['owners', '/owners?$select=id,displayName']],
}

/** What hangs on an object, declared or not: lists beside it, by the path that finds it. */
export const surroundingLists = (type: GraphType, path: string): [name: string, path: string][] =>
  (LISTS[type] ?? []).map(([name, list]) => [name, path.replace(/\?.*$/, '') + list])

/** What hangs on a service principal by its id. */
export const accessLists = (id: string): [name: string, path: string][] => [
  ['appRoleAssignedTo', `/servicePrincipals/${id}/appRoleAssignedTo`],
  ['appRoleAssignments', `/servicePrincipals/${id}/appRoleAssignments`],
  ['grantsAsClient', `/oauth2PermissionGrants?$filter=clientId eq ${quoted(id)}`],
  ['grantsAsResource', `/oauth2PermissionGrants?$filter=resourceId eq ${quoted(id)}`],
]

/** The lists of related objects that are declared and have to be read besides. */
export function relationshipLookups(
  type: GraphType,
  properties: WantedProperties,
): [name: string, path: string][] {
  const lookup = lookupOf({ type, by: 'template' }, properties)
  if (!lookup || lookup.pick) return []
  const object = lookup.path.replace(/\?.*$/, '')
  return RELATIONSHIPS.filter((name) => name in properties).map((name) => [
    name,
    `${object}/${name}?$select=id,displayName`,
  ])
}
