/** What Microsoft Graph would refuse, although the template compiles. */
import type { Value } from '../bicep/value.ts'
import type { States } from './actual-state.ts'
import { type DesiredObject, resolveObject } from './desired.ts'
import {
  type ActualProperties,
  isObject,
  type Properties,
  readList,
  readObjects,
  readProperty,
} from './properties.ts'

export interface Blocker {
  key: string
  title: string
  rule:
    | 'soft-deleted-twin'
    | 'removed-in-one-step'
    | 'pre-authorized-too-early'
    | 'credential-limit'
    | 'replaced-on-new-object'
    | 'missing-existing'
    | 'identifier-uri-refused'
  what: string
  wayOut: string
}

type Found = Pick<Blocker, 'rule' | 'what' | 'wayOut'>

const LIMIT = 20

/**
 * `deleted`: what is in the recycle bin; `read`: what the template only reads; `disabledFirst`: ids of scopes and roles
 * that a hook disables before.
 */
export function findBlockers(
  { objects, state, names }: States,
  deleted: readonly ActualProperties[],
  read: readonly DesiredObject[],
  disabledFirst: readonly string[],
): Blocker[] {
  const missing = read.filter(({ by, key }) => by === 'template' && state.isAbsent(key))
  const found = objects.flatMap((one) => {
    const desired = resolveObject(one, state)
    const actual = state.get(one.key)
    const about = { key: one.key, title: names.titleOf(one.type, desired) }
    const found = !actual
      ? [findTwin(one, desired, deleted), ...ofNew(one, desired, state.around(one.key, 'siblings').length)]
      : one.type === 'applications'
        ? ofApp(one.passes(state), desired, actual, disabledFirst)
        : []
    const refused = one.type === 'applications' ? findRefusedUri(one.passes(state), actual) : undefined
    return [...found, refused].flatMap((blocker) => (blocker ? [{ ...about, ...blocker }] : []))
  })
  return [...found, ...missing.map((one) => describeMissing(one, resolveObject(one, state)))]
}

function describeMissing(
  { key, type, symbols: [symbol = key] }: DesiredObject,
  desired: Properties,
): Blocker {
  const by = Object.entries(desired).map(([name, value]) => `${name} ${String(value)}`)
  return {
    key,
    title: symbol,
    rule: 'missing-existing',
    what: `The template reads an existing object of ${type} with ${by.join(', ')}, and there is none.`,
    wayOut: 'Correct the parameter that names it, or create it first.',
  }
}

/** Neither a domain nor an id: Entra takes it only of an app whose tokens were of version 2 before this write. */
const isBareName = (uri: Value): uri is string =>
  typeof uri === 'string' && /^api:\/\/(?![0-9a-f]{8}-)[^./]+(\/|$)/i.test(uri)

function findRefusedUri(
  passes: readonly Properties[],
  actual: ActualProperties | undefined,
): Found | undefined {
  let version = readProperty(actual?.api, 'requestedAccessTokenVersion')
  const present = readList(actual?.identifierUris)
  for (const { identifierUris, api } of passes) {
    const refused = readList(identifierUris).find((uri) => isBareName(uri) && !present.includes(uri))
    if (refused !== undefined && version !== 2)
      return {
        rule: 'identifier-uri-refused',
        what: `Entra takes ${String(refused)} only with a verified domain, the tenant id or the app id after api://.`,
        wayOut:
          'Declare api://<app id>, or the app first with requestedAccessTokenVersion 2 and the URI in a second pass.',
      }
    version = readProperty(api, 'requestedAccessTokenVersion') ?? version
  }
  return undefined
}

function findTwin(
  { type }: DesiredObject,
  { uniqueName }: Properties,
  deleted: readonly ActualProperties[],
): Found | undefined {
  const twin = deleted.find((one) => one.uniqueName !== null && one.uniqueName === uniqueName)
  if (!twin || (type !== 'applications' && type !== 'groups')) return undefined
  const item = `https://graph.microsoft.com/v1.0/directory/deletedItems/${twin.id}`
  return {
    rule: 'soft-deleted-twin',
    what: `A deleted object (${twin.id}) still has the unique name ${twin.uniqueName}; it stays in the recycle bin for 30 days.`,
    wayOut: `Restore it: az rest --method POST --url ${item}/restore    or purge it: az rest --method DELETE --url ${item}`,
  }
}

/** `siblings`: how many federated credentials the app has. */
function ofNew({ type }: DesiredObject, desired: Properties, siblings: number): Found[] {
  const found: Found[] = []
  if (type === 'applications/federatedIdentityCredentials' && siblings >= LIMIT)
    found.push({
      rule: 'credential-limit',
      what: `The app has ${LIMIT} federated credentials, which is the limit.`,
      wayOut: 'Delete one that nobody uses in the Entra admin center.',
    })
  if (Object.values(desired).some((value) => readProperty(value, 'relationshipSemantics') === 'replace'))
    found.push({
      rule: 'replaced-on-new-object',
      what: 'relationshipSemantics replace fails on an object that does not exist yet.',
      wayOut: 'Deploy once with append, then with replace.',
    })
  return found
}

const SCOPES = 'oauth2PermissionScopes'

function ofApp(
  passes: readonly Properties[],
  desired: Properties,
  actual: ActualProperties,
  disabledFirst: readonly string[],
): (Found | undefined)[] {
  const isLeft = ({ id }: Properties) => !disabledFirst.includes(String(id))
  const scopes = readObjects(readProperty(actual.api, SCOPES)).filter(isLeft)
  const removed = [
    ...findRemovals('scope', scopes, readProperty(desired.api, SCOPES)),
    ...findRemovals('role', readObjects(actual.appRoles).filter(isLeft), desired.appRoles),
  ]
  // Whoever follows the way out of a removal comes past a client that is left.
  return [
    ...removed,
    findEarlyClient(passes, actual),
    removed.length > 0 ? undefined : findLeftClient(passes, actual, disabledFirst),
  ]
}

/** A scope or role that somebody may be using must be switched off in a deployment of its own first. */
export function findRemovals(
  word: 'scope' | 'role',
  actual: readonly Readonly<Record<string, Value | undefined>>[],
  desired: Value | undefined,
): Found[] {
  if (!Array.isArray(desired)) return []
  const declared = readObjects(desired)
  return actual.flatMap((old): Found[] => {
    const now = declared.find(({ id }) => id === old.id)
    if (old.isEnabled !== true || (now && now.value === old.value)) return []
    const change = now ? `renamed to ${String(now.value)}` : 'removed'
    return [
      {
        rule: 'removed-in-one-step',
        what: `The ${word} ${String(old.value ?? old.id)} would be ${change} while it is enabled.`,
        wayOut: `Declare it with isEnabled: false and deploy; then ${now ? 'rename' : 'remove'} it and deploy again.`,
      },
    ]
  })
}

const enabledIds = (scopes: Value | undefined) =>
  new Set(
    readObjects(scopes)
      .filter(({ isEnabled }) => isEnabled !== false)
      .map(({ id }) => id),
  )

/** Scopes for which an API pre-authorizes clients. */
const clientScopes = (api: Value | undefined) =>
  readObjects(readProperty(api, 'preAuthorizedApplications')).flatMap((client) =>
    readList(client.delegatedPermissionIds),
  )

/** Pass by pass: clients can be given only scopes that were there before that write. */
function findEarlyClient(passes: readonly Properties[], actual: ActualProperties): Found | undefined {
  let present = enabledIds(readProperty(actual.api, SCOPES))
  for (const { api } of passes) {
    const early = clientScopes(api).find((id) => typeof id === 'string' && !present.has(id))
    if (early !== undefined)
      return {
        rule: 'pre-authorized-too-early',
        what: `A client is pre-authorized for the scope ${String(early)} in the same write that adds or enables it.`,
        wayOut: 'Declare the app twice with one uniqueName: first with the scopes, then with the clients.',
      }
    const scopes = readProperty(api, SCOPES)
    if (scopes !== undefined) present = enabledIds(scopes)
  }
  return undefined
}

/**
 * A client that is there would keep a scope that a pass before its list takes away; whoever disables one first
 * takes it from the clients too.
 */
function findLeftClient(
  passes: readonly Properties[],
  actual: ActualProperties,
  disabledFirst: readonly string[],
): Found | undefined {
  const api = passes.map((pass) => pass.api).find((one) => readProperty(one, SCOPES) !== undefined)
  if (!isObject(api) || api.preAuthorizedApplications !== undefined) return undefined
  const kept = new Set([...readObjects(api[SCOPES]).map(({ id }) => id), ...disabledFirst])
  const lost = clientScopes(actual.api).find((id) => !kept.has(String(id)))
  if (lost === undefined) return undefined
  return {
    rule: 'removed-in-one-step',
    what: `The scope ${String(lost)} would be removed while a live client is pre-authorized for it.`,
    wayOut: 'Remove that pre-authorization in the Entra admin center (Expose an API), then deploy.',
  }
}
