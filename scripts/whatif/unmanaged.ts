/** What is there and nobody declared: who put it there can use it, and no deployment takes it away. */
import { z } from 'zod'
import type { Knowledge } from './knowledge.ts'
import type { Naming } from './naming.ts'
import { isObject, isProperties, type WantedProperties } from './open.ts'
import type { Grade } from './risk.ts'
import { strangeIn, type Undeclared, undeclaredIn } from './undeclared.ts'
import { isOurs, propertiesOf, type WantedObject } from './wanted.ts'

export interface Unmanaged {
  key: string
  type: WantedObject['type']
  title: string
  /** The property or list that it is in. */
  kind: string
  /** What it is, as a line of the exceptions names it. */
  value: string
  grade: Grade
  /** Who could use it for what. */
  reason: string
}

type Found = Pick<Unmanaged, 'kind' | 'value' | 'grade' | 'reason'>

export interface Judge {
  objects: readonly WantedObject[]
  knowledge: Knowledge
  naming: Naming
  /** Object id of whoever asks: Entra makes the deployer an owner of what is new. */
  deployer: string | undefined
  /** Key ids of the secrets that the hook of this project has recorded. */
  ownSecrets: ReadonlySet<string>
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
const Grant = z.object({
  id: z.string(),
  clientId: z.string(),
  resourceId: z.string(),
  consentType: z.string(),
  principalId: z.string().nullish(),
  scope: z.string().nullish(),
})
const Credential = z.object({
  id: z.string(),
  name: z.string(),
  issuer: z.string(),
  subject: z.string().nullish(),
})
const Identified = z.object({ id: z.string() })

const SURROUNDED: readonly WantedObject['type'][] = ['applications', 'servicePrincipals', 'groups']
const NO_ROLE = '00000000-0000-0000-0000-000000000000'
/** What every user agrees to at the first sign-in: it gives a client nothing but the sign-in. */
const SIGN_IN = ['openid', 'profile', 'email', 'offline_access']
const words = (text: unknown): string[] => (typeof text === 'string' ? text.split(' ').filter(Boolean) : [])

/** Everything that hangs on a declared application, service principal or group. */
export function unmanagedOf(judge: Judge): Unmanaged[] {
  const seen = new Set<string>()
  const surrounded = judge.objects.filter((one) => isOurs(one) && SURROUNDED.includes(one.type))
  return surrounded.flatMap((one): Unmanaged[] => {
    const live = judge.knowledge.live(one.key)
    if (!live) return []
    const wanted = propertiesOf(one, judge.knowledge)
    const title = judge.naming.titleOf(one.type, wanted)
    const found = [
      ...undeclaredIn(one.type, wanted, live)
        .filter(({ value }) => !judge.ownSecrets.has(value))
        .map((undeclared) => ({ ...undeclared, reason: reasonOf(undeclared, title) })),
      ...owners(one, wanted, title, judge),
      ...credentials(one, title, judge),
      ...assignments(one, title, seen, judge),
      ...grants(one, seen, judge),
    ]
    return found.map((item) => ({ key: one.key, type: one.type, title, ...item }))
  })
}

/** In words: properties that this version does not know; they are neither fine nor a finding. */
export const strangeNotes = ({ objects, knowledge, naming }: Judge): string[] =>
  objects
    .filter((one) => isOurs(one) && SURROUNDED.includes(one.type))
    .flatMap((one) =>
      strangeIn(one.type, knowledge.live(one.key) ?? {}).map(
        (name) =>
          `${naming.titleOf(one.type, propertiesOf(one, knowledge))} has the property ${name}, which is not known here: whether it gives access cannot be told.`,
      ),
    )

function reasonOf({ kind, live }: Undeclared, title: string): string {
  const end = isObject(live) ? String(live.endDateTime ?? 'nobody knows when') : ''
  const name = isObject(live) && typeof live.displayName === 'string' ? ` "${live.displayName}"` : ''
  if (kind === 'passwordCredentials')
    return `Whoever knows the secret${name} signs in as ${title} until ${end}.`
  if (kind === 'keyCredentials')
    return `Whoever holds the private key of the certificate${name} signs in as ${title} until ${end}.`
  return `${kind} is set and not declared: a deployment leaves it.`
}

const around = <T>(one: WantedObject, list: string, shape: z.ZodType<T>, { knowledge }: Judge): T[] =>
  z.array(shape).parse(knowledge.around(one.key, list))

function owners(one: WantedObject, wanted: WantedProperties, title: string, judge: Judge): Found[] {
  const declared = isProperties(wanted.owners) ? wanted.owners.relationships : []
  const meant = Array.isArray(declared) ? declared.map((id) => String(id).toLowerCase()) : []
  return around(one, 'owners', Identified, judge)
    .filter(({ id }) => id !== judge.deployer && !meant.includes(id.toLowerCase()))
    .map(({ id }) => ({
      kind: 'owners',
      value: id,
      grade: 'high',
      reason: `${judge.naming.of(id)} owns ${title}: may change it${one.type === 'groups' ? ' and its members' : ' and add credentials to it'}.`,
    }))
}

/** Ids of the live objects that are declared. */
const declaredIds = ({ objects, knowledge }: Judge, type: WantedObject['type']) =>
  new Set(objects.flatMap((one) => (one.type === type ? String(knowledge.live(one.key)?.id ?? '') : [])))

function credentials(one: WantedObject, title: string, judge: Judge): Found[] {
  const declared = declaredIds(judge, 'applications/federatedIdentityCredentials')
  return around(one, 'federatedIdentityCredentials', Credential, judge)
    .filter(({ id }) => !declared.has(id))
    .map(({ name, issuer, subject }) => ({
      kind: 'federatedIdentityCredentials',
      value: name,
      grade: 'high',
      reason: `${subject ?? 'Whoever fits its expression'} of ${issuer} signs in as ${title}.`,
    }))
}

function assignments(one: WantedObject, title: string, seen: Set<string>, judge: Judge): Found[] {
  const declared = declaredIds(judge, 'appRoleAssignedTo')
  const fresh = ({ id }: z.infer<typeof Assignment>) => !declared.has(id) && !seen.has(id)
  const to = around(one, 'appRoleAssignedTo', Assignment, judge).filter(fresh)
  const from = around(one, 'appRoleAssignments', Assignment, judge).filter(fresh)
  for (const { id } of [...to, ...from]) seen.add(id)
  const role = (assigned: z.infer<typeof Assignment>) =>
    judge.knowledge.roleName(assigned.resourceId, assigned.appRoleId)
  return [
    ...to.map((assigned): Found => {
      const { principalId, principalType, principalDisplayName, appRoleId } = assigned
      const who = principalDisplayName ?? judge.naming.of(principalId)
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
      const resource = assigned.resourceDisplayName ?? judge.naming.of(assigned.resourceId)
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
function grants(one: WantedObject, seen: Set<string>, judge: Judge): Found[] {
  const scopesOf = (id: string) =>
    judge.objects
      .filter(({ type, key }) => type === 'oauth2PermissionGrants' && judge.knowledge.live(key)?.id === id)
      .flatMap((grant) => words(propertiesOf(grant, judge.knowledge).scope))
  const all = ['grantsAsClient', 'grantsAsResource'].flatMap((list) => around(one, list, Grant, judge))
  return all.flatMap((grant): Found[] => {
    if (seen.has(grant.id)) return []
    seen.add(grant.id)
    const declared = scopesOf(grant.id)
    const isForAll = grant.consentType === 'AllPrincipals'
    const whom = isForAll ? 'every user' : judge.naming.of(grant.principalId ?? 'one user')
    const [client, resource] = [grant.clientId, grant.resourceId].map((id) => judge.naming.of(id))
    return words(grant.scope)
      .filter((scope) => !declared.includes(scope) && (isForAll || !SIGN_IN.includes(scope)))
      .map((scope) => ({
        kind: 'oauth2PermissionGrants',
        value: [grant.clientId, grant.resourceId, ...(isForAll ? [] : [grant.principalId]), scope].join(' '),
        grade: isForAll ? 'high' : 'medium',
        reason: `${client} may call ${resource} with ${scope} for ${whom}, without a prompt.`,
      }))
  })
}

/** Service principals that consent and application permissions name: read once more, for their names and roles. */
export function strangersOf({ objects, knowledge }: Pick<Judge, 'objects' | 'knowledge'>): string[] {
  const ids = objects
    .filter(isOurs)
    .flatMap((one) => [
      ...[
        ...knowledge.around(one.key, 'grantsAsClient'),
        ...knowledge.around(one.key, 'grantsAsResource'),
      ].flatMap(({ clientId, resourceId }) => [clientId, resourceId]),
      ...knowledge.around(one.key, 'appRoleAssignments').map(({ resourceId }) => resourceId),
    ])
  return [...new Set(ids.filter((id) => typeof id === 'string'))].filter((id) => !knowledge.names.has(id))
}
