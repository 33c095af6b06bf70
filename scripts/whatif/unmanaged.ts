/** What is there and nobody declared: who put it there can use it, and no deployment takes it away. */
import { z } from 'zod'
import { FederatedCredential, Grant } from '../graph/graph-objects.ts'
import type { States } from './actual-state.ts'
import { type DesiredObject, isOurs, resolveObject } from './desired.ts'
import type { Further } from './further.ts'
import { type Properties, readList, readProperty, splitWords } from './properties.ts'
import { NO_ROLE } from './risk.ts'
import { type Found, findUndeclared, findUnfamiliar } from './unmanaged-properties.ts'

export interface Unmanaged extends Found {
  key: string
  type: DesiredObject['type']
  title: string
}

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

const SURROUNDED: readonly DesiredObject['type'][] = ['applications', 'servicePrincipals', 'groups']
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
    const actual = state.get(one.key)
    if (!actual) return []
    const desired = resolveObject(one, state)
    const title = names.titleOf(one.type, desired)
    const found = [
      ...findUndeclared({ type: one.type, title }, desired, actual).filter(
        ({ value }) => !further.secrets.includes(value),
      ),
      ...findOwners(one, desired, title, deployer, states),
      ...findCredentials(one, title, states),
      ...findAssignments(one, title, seen, states),
      ...findGrants(one, seen, states, further.withdrawn),
    ]
    return found.map((item) => ({ key: one.key, type: one.type, title, ...item }))
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

const around = <T>({ key }: DesiredObject, list: string, shape: z.ZodType<T>, { state }: States): T[] =>
  z.array(shape).parse(state.around(key, list))

function findOwners(
  one: DesiredObject,
  desired: Properties,
  title: string,
  deployer: string | undefined,
  states: States,
): Found[] {
  const { names } = states
  const declared = readList(readProperty(desired.owners, 'relationships'))
  const meant = declared.map((id) => String(id).toLowerCase())
  return around(one, 'owners', Identified, states)
    .filter(({ id }) => id !== deployer && !meant.includes(id.toLowerCase()))
    .map(({ id }) => ({
      kind: 'owners',
      value: id,
      grade: 'high',
      reason: `${names.of(id)} owns ${title}: may change it${one.type === 'groups' ? ' and its members' : ' and add credentials to it'}.`,
    }))
}

/** Ids of the objects that are there and declared. */
const declaredIds = ({ objects, state }: States, type: DesiredObject['type']) =>
  new Set(objects.flatMap((one) => (one.type === type ? (state.get(one.key)?.id ?? []) : [])))

function findCredentials(one: DesiredObject, title: string, states: States): Found[] {
  const declared = declaredIds(states, 'applications/federatedIdentityCredentials')
  return around(one, 'federatedIdentityCredentials', Credential, states)
    .filter(({ id }) => !declared.has(id))
    .map(({ name, issuer, subject }) => ({
      kind: 'federatedIdentityCredentials',
      value: name,
      grade: 'high',
      reason: `${subject ?? 'Whoever fits its expression'} of ${issuer} signs in as ${title}.`,
    }))
}

function findAssignments(one: DesiredObject, title: string, seen: Set<string>, states: States): Found[] {
  const { state, names } = states
  const declared = declaredIds(states, 'appRoleAssignedTo')
  const isNew = ({ id }: z.infer<typeof Assignment>) => !declared.has(id) && !seen.has(id)
  const to = around(one, 'appRoleAssignedTo', Assignment, states).filter(isNew)
  const from = around(one, 'appRoleAssignments', Assignment, states).filter(isNew)
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
  one: DesiredObject,
  seen: Set<string>,
  states: States,
  withdrawn: Further['withdrawn'],
): Found[] {
  const { objects, state, names } = states
  const goes = new Set(
    withdrawn.flatMap(({ appId, permissions }) =>
      permissions.map(({ value }) => `${state.get(`servicePrincipals/${appId}`)?.id} ${value}`),
    ),
  )
  const scopesOf = (id: string) =>
    objects
      .filter(({ type, key }) => type === 'oauth2PermissionGrants' && state.get(key)?.id === id)
      .flatMap((grant) => splitWords(resolveObject(grant, state).scope))
  const all = ['grantsAsClient', 'grantsAsResource'].flatMap((list) => around(one, list, AnyGrant, states))
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
        reason: `${client} may call ${resource} with ${scope} for ${whom}, without a prompt.${isForAll && goes.has(`${grant.resourceId} ${scope}`) ? ` ${TAKEN_BACK}` : ''}`,
      }))
  })
}
