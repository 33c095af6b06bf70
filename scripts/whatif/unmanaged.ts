/** What is there and nobody declared: who put it there can use it, and no deployment takes it away. */
import { z } from 'zod'
import type { GraphType } from '../bicep/declared.ts'
import { FederatedCredential, Grant } from '../graph/graph-objects.ts'
import type { States } from './actual-state.ts'
import { type About, type DesiredObject, isOurs, resolveObject } from './desired.ts'
import type { Further } from './further.ts'
import { type Properties, readList, readProperty, splitWords } from './properties.ts'
import { NO_ROLE } from './risk.ts'
import { type Found, findUndeclared, findUnfamiliar } from './unmanaged-properties.ts'

export type Unmanaged = Found & About

const Assignment = z.object({
  id: z.string(),
  principalId: z.string(),
  principalType: z.string().nullish(),
  principalDisplayName: z.string().nullish(),
  resourceId: z.string(),
  resourceDisplayName: z.string().nullish(),
  appRoleId: z.string(),
})
const AnyGrant = Grant.extend({ principalId: z.string().nullish() })
const Credential = FederatedCredential.omit({ audiences: true }).extend({ subject: z.string().nullish() })
const Identified = z.object({ id: z.string() })

/** How the reason of a grant ends that is no fault: only its hook has not run yet. */
export const TAKEN_BACK = 'Nothing that is on needs it: the consent hook takes it back.'

const SURROUNDED: readonly GraphType[] = ['applications', 'servicePrincipals', 'groups']
/** What every user agrees to at the first sign-in: it gives a client nothing but the sign-in. */
const SIGN_IN = ['openid', 'profile', 'email', 'offline_access']

const isSurrounded = (one: DesiredObject) => isOurs(one) && SURROUNDED.includes(one.type)

/**
 * Everything that hangs on a declared application, service principal or group. `deployer`: object id of whoever asks,
 * whom Entra makes an owner of what is new; `further`: what hooks have made and recorded, and what they take back.
 */
export function findUnmanaged(
  states: States,
  deployer: string | undefined,
  further: Pick<Further, 'secrets' | 'withdrawn'>,
): Unmanaged[] {
  const { objects, state, names } = states
  const seen = new Set<string>()
  return objects.filter(isSurrounded).flatMap((one): Unmanaged[] => {
    const { key, type } = one
    const actual = state.get(key)
    if (!actual) return []
    const desired = resolveObject(one, state)
    const about = { key, type, title: names.titleOf(type, desired) }
    const found = [
      ...findUndeclared(about, desired, actual).filter(({ value }) => !further.secrets.includes(value)),
      ...findOwners(about, desired, deployer, states),
      ...findCredentials(about, states),
      ...findAssignments(about, seen, states),
      ...findGrants(about, seen, states, further.withdrawn),
    ]
    return found.map((item) => ({ ...about, ...item }))
  })
}

/** In words: properties that this version does not know; they are neither fine nor a finding. */
export const noteUnfamiliar = ({ objects, state, names }: States): string[] =>
  objects
    .filter(isSurrounded)
    .flatMap((one) =>
      findUnfamiliar(one.type, state.get(one.key) ?? {}).map(
        (name) =>
          `${names.titleOf(one.type, resolveObject(one, state))} has the property ${name}, which is not known here: whether it gives access cannot be told.`,
      ),
    )

const around = <T>({ key }: About, list: string, shape: z.ZodType<T>, { state }: States): T[] =>
  z.array(shape).parse(state.around(key, list))

function findOwners(
  about: About,
  desired: Properties,
  deployer: string | undefined,
  states: States,
): Found[] {
  const declared = readList(readProperty(desired.owners, 'relationships'))
  const meant = declared.map((id) => String(id).toLowerCase())
  const more = about.type === 'groups' ? 'its members' : 'add credentials to it'
  return around(about, 'owners', Identified, states)
    .filter(({ id }) => id !== deployer && !meant.includes(id.toLowerCase()))
    .map(({ id }) => ({
      ...{ kind: 'owners', value: id, grade: 'high' as const },
      reason: `${states.names.of(id)} owns ${about.title}: may change it and ${more}.`,
    }))
}

/** Ids of the objects that are there and declared. */
const declaredIds = ({ objects, state }: States, type: GraphType) =>
  new Set(objects.flatMap((one) => (one.type === type ? (state.get(one.key)?.id ?? []) : [])))

function findCredentials(about: About, states: States): Found[] {
  const kind = 'federatedIdentityCredentials'
  const declared = declaredIds(states, `applications/${kind}`)
  return around(about, kind, Credential, states)
    .filter(({ id }) => !declared.has(id))
    .map(({ name, issuer, subject }) => ({
      ...{ kind, value: name, grade: 'high' as const },
      reason: `${subject ?? 'Whoever fits its expression'} of ${issuer} signs in as ${about.title}.`,
    }))
}

function findAssignments(about: About, seen: Set<string>, states: States): Found[] {
  const { state, names } = states
  const { title } = about
  const declared = declaredIds(states, 'appRoleAssignedTo')
  const isNew = ({ id }: z.infer<typeof Assignment>) => !declared.has(id) && !seen.has(id)
  const to = around(about, 'appRoleAssignedTo', Assignment, states).filter(isNew)
  const from = around(about, 'appRoleAssignments', Assignment, states).filter(isNew)
  for (const { id } of [...to, ...from]) seen.add(id)
  const role = (assigned: z.infer<typeof Assignment>) =>
    state.roleName(assigned.resourceId, assigned.appRoleId)
  return [
    ...to.map((assigned): Found => {
      const { principalId, principalType, principalDisplayName, appRoleId } = assigned
      const who = principalDisplayName ?? names.of(principalId)
      const withRole = appRoleId === NO_ROLE ? '' : ` with the role ${role(assigned)}`
      const isPeople = principalType === 'User' || principalType === 'Group'
      return {
        kind: 'appRoleAssignedTo',
        value: appRoleId === NO_ROLE ? principalId : `${principalId} ${appRoleId}`,
        grade: isPeople ? 'medium' : 'high',
        reason: `${isPeople ? `The ${principalType.toLowerCase()}` : 'The service'} ${who} may get tokens for ${title}${withRole}.`,
      }
    }),
    ...from.map((assigned): Found => {
      const resource = assigned.resourceDisplayName ?? names.of(assigned.resourceId)
      return {
        kind: 'appRoleAssignments',
        value: `${assigned.resourceId} ${assigned.appRoleId}`,
        grade: 'high',
        reason: `${title} has the application permission ${role(assigned)} of ${resource}: it works without any user.`,
      }
    }),
  ]
}

/** Scopes beyond the declared ones; a grant that is declared keeps those that somebody has added. */
function findGrants(
  about: About,
  seen: Set<string>,
  states: States,
  withdrawn: Further['withdrawn'],
): Found[] {
  const { objects, state, names } = states
  const isTakenBack = (resource: string, scope: string) =>
    withdrawn
      .filter(({ appId }) => state.get(`servicePrincipals/${appId}`)?.id === resource)
      .some(({ permissions }) => permissions.some(({ value }) => value === scope))
  const scopesOf = (id: string) =>
    objects
      .filter(({ type, key }) => type === 'oauth2PermissionGrants' && state.get(key)?.id === id)
      .flatMap((grant) => splitWords(resolveObject(grant, state).scope))
  const all = ['grantsAsClient', 'grantsAsResource'].flatMap((list) => around(about, list, AnyGrant, states))
  return all.flatMap((grant): Found[] => {
    if (seen.has(grant.id)) return []
    seen.add(grant.id)
    const declared = scopesOf(grant.id)
    const isForAll = grant.consentType === 'AllPrincipals'
    const whom = isForAll ? 'every user' : names.of(grant.principalId ?? 'one user')
    const [client, resource] = [grant.clientId, grant.resourceId].map((id) => names.of(id))
    return splitWords(grant.scope)
      .filter((scope) => !declared.includes(scope) && (isForAll || !SIGN_IN.includes(scope)))
      .map((scope) => ({
        kind: 'oauth2PermissionGrants',
        value: [grant.clientId, grant.resourceId, ...(isForAll ? [] : [grant.principalId]), scope].join(' '),
        grade: isForAll ? 'high' : 'medium',
        reason: `${client} may call ${resource} with ${scope} for ${whom}, without a prompt.${isForAll && isTakenBack(grant.resourceId, scope) ? ` ${TAKEN_BACK}` : ''}`,
      }))
  })
}
