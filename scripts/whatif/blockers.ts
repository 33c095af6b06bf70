/** What Microsoft Graph would refuse, although the template compiles. */
import type { Value } from '../bicep/value.ts'
import type { LiveProperties } from './keys.ts'
import type { Knowledge } from './knowledge.ts'
import { isProperties, type WantedProperties } from './open.ts'
import { isRecord, leftClients, preAuthorizations, records, wantedRecords } from './pre-authorization.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

export interface Blocker {
  key: string
  title: string
  rule:
    | 'soft-deleted-twin'
    | 'removed-in-one-step'
    | 'pre-authorized-too-early'
    | 'credential-limit'
    | 'replaced-on-new-object'
  what: string
  wayOut: string
}

export type Found = Pick<Blocker, 'rule' | 'what' | 'wayOut'>

const LIMIT = 20
export function twins(
  one: WantedObject,
  wanted: WantedProperties,
  deleted: readonly LiveProperties[],
): Found[] {
  const twin = deleted.find(({ uniqueName }) => uniqueName !== null && uniqueName === wanted.uniqueName)
  if (!twin || (one.type !== 'applications' && one.type !== 'groups')) return []
  const item = `https://graph.microsoft.com/v1.0/directory/deletedItems/${twin.id}`
  return [
    {
      rule: 'soft-deleted-twin',
      what: `A deleted object (${twin.id}) still has the unique name ${twin.uniqueName}; it stays in the recycle bin for 30 days.`,
      wayOut: `Restore it: az rest --method POST --url ${item}/restore    or purge it: az rest --method DELETE --url ${item}`,
    },
  ]
}

/** A scope or role that somebody may be using must be switched off in a deployment of its own first. */
function removals(word: string, live: unknown, wanted: Value | undefined): Found[] {
  if (!Array.isArray(wanted)) return []
  const declared = wantedRecords(wanted)
  return records(live).flatMap((old): Found[] => {
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

const hasReplacement = (wanted: WantedProperties) =>
  Object.values(wanted).some((value) => isProperties(value) && value.relationshipSemantics === 'replace')

function ofNew(one: WantedObject, wanted: WantedProperties, siblings: number): Found[] {
  const found: Found[] = []
  if (one.type === 'applications/federatedIdentityCredentials' && siblings >= LIMIT)
    found.push({
      rule: 'credential-limit',
      what: `The app has ${LIMIT} federated credentials, which is the limit.`,
      wayOut: 'Delete one that nobody uses in the Entra admin center.',
    })
  if (hasReplacement(wanted))
    found.push({
      rule: 'replaced-on-new-object',
      what: 'relationshipSemantics replace fails on an object that does not exist yet.',
      wayOut: 'Deploy once with append, then with replace.',
    })
  return found
}

function ofLiveApp(
  passes: readonly WantedProperties[],
  wanted: WantedProperties,
  live: LiveProperties,
): Found[] {
  const api = isProperties(wanted.api) ? wanted.api : {}
  const liveApi = isRecord(live.api) ? live.api : {}
  const removed = [
    ...removals('scope', liveApi.oauth2PermissionScopes, api.oauth2PermissionScopes),
    ...removals('role', live.appRoles, wanted.appRoles),
  ]
  // Whoever follows the way out of a removal comes past a client that is left.
  return [
    ...removed,
    ...preAuthorizations(passes, live),
    ...(removed.length > 0 ? [] : leftClients(passes, live)),
  ]
}

/** `siblings`: how many federated credentials the app has. */
export function blockersOf(one: WantedObject, knowledge: Knowledge, siblings: number): Found[] {
  const live = knowledge.live(one.key)
  const wanted = propertiesOf(one, knowledge)
  if (!live) return ofNew(one, wanted, siblings)
  return one.type === 'applications' ? ofLiveApp(one.passes(knowledge), wanted, live) : []
}
