/** The scale of risks, and the facts that the rules judge: a difference and what surrounds it. */
import type { GraphType } from '../bicep/declared.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { States } from './actual-state.ts'
import { type DesiredObject, resolveObject } from './desired.ts'
import type { Difference } from './difference.ts'
import { type ActualProperties, type Properties, readList, readObjects, readProperty } from './properties.ts'

export const GRADES = ['low', 'medium', 'high'] as const
export type Grade = (typeof GRADES)[number]

/** `low` where there is none. */
export const findHighest = (risks: readonly { grade: Grade }[]): Grade =>
  GRADES.findLast((grade) => risks.some((risk) => risk.grade === grade)) ?? 'low'

export const isAtLeast = (grade: Grade, level: Grade): boolean =>
  GRADES.indexOf(grade) >= GRADES.indexOf(level)

/**
 * `proposed`: what a deployment would do, from the actual object to the desired one. `found`: what somebody did by
 * hand, from the desired object to the actual one.
 */
export type Perspective = 'proposed' | 'found'

export interface Risk {
  grade: Grade
  /** Stable name of the rule: part of the JSON format. */
  rule: string
  reason: string
}

/** What is the same for every difference of one object. */
export interface Circumstances {
  type: GraphType
  desired: Properties
  /** It comes into being with this. */
  isNew: boolean
  tenantId: string
  /** Hosts of the addresses that the object has before. */
  hosts: ReadonlySet<string>
  /** Domains that the deployment makes, where they are known. */
  domains: readonly string[]
  /** It is there and carries none of the tags that mark this environment. */
  isAdopted: boolean
  /** Some client gets tokens of it, or it gets some, without anybody being asked. */
  isTrusted: boolean
  /** Of an assignment: what kind of principal gets it; undefined: it cannot be told. */
  assignee: 'people' | 'service' | undefined
  /** Of an assignment: only users can hold the role. */
  isUserRole: boolean
  nameOf: (value: Value | undefined) => string
}

export interface Fact extends Circumstances {
  /** What happens, or what was done: `before` and `after` in the order of time. */
  difference: Difference
}

/** The difference is at one of these places of an object of that type. */
export const isAt = ({ type, difference }: Fact, wanted: GraphType, ...places: string[]): boolean =>
  type === wanted && places.includes(difference.place)
/** Something is there afterwards. */
export const isAdded = ({ difference: { action } }: Fact): boolean => action !== 'remove'

/** For people: the value as a part of a sentence. */
export const writeText = (value: Value | undefined): string =>
  value instanceof Unknown ? value.text : value === undefined ? '' : String(value)

/** No role of the app's own: what an assignment says that gives nothing but tokens. */
export const NO_ROLE = '00000000-0000-0000-0000-000000000000'

export interface Judging {
  perspective: Perspective
  tenantId: string
  environmentTags: readonly string[]
}

/** What the rules have to know besides the difference itself. */
export function findCircumstances(
  one: DesiredObject,
  desired: Properties,
  states: States,
  { perspective, tenantId, environmentTags }: Judging,
): Circumstances {
  const actual = states.state.get(one.key)
  const isAssignment = one.type === 'appRoleAssignedTo'
  return {
    type: one.type,
    desired,
    isNew: actual === undefined,
    tenantId,
    hosts: hostsOf((perspective === 'proposed' ? actual : desired) ?? {}),
    domains: states.state.domains,
    isAdopted: isAdopted(desired, actual, environmentTags),
    isTrusted: one.type === 'applications' && isTrusted(one, states),
    assignee: isAssignment ? assigneeOf(desired.principalId, states) : undefined,
    isUserRole: isAssignment && isUserRole(desired, states),
    nameOf: states.names.of,
  }
}

/** Everything between `//` and the next `/`; braces stand for what is known after the deployment. */
export const readHost = (uri: string): string =>
  /^[a-z][\w+.-]*:\/\/([^/]*)/i.exec(uri)?.[1]?.toLowerCase() ?? uri

/** Hosts of every redirect and identifier URI. */
function hostsOf(properties: Properties): Set<string> {
  const redirects = ['web', 'spa', 'publicClient'].map((name) =>
    readProperty(properties[name], 'redirectUris'),
  )
  const uris = [properties.identifierUris, ...redirects].flatMap(readList)
  return new Set(uris.flatMap((uri) => (typeof uri === 'string' ? [readHost(uri)] : [])))
}

/** Of a project that tags its objects: this one is somebody else's, or was. A group, which has no tags, says it in words. */
function isAdopted(
  desired: Properties,
  actual: ActualProperties | undefined,
  tags: readonly string[],
): boolean {
  if (!actual || tags.length === 0) return false
  if (Array.isArray(actual.tags)) return !actual.tags.some((tag) => tags.some((one) => one === tag))
  const marks = tags.map((tag) => tag.replace(/^.*[:=]/, ''))
  const isMarked = (text: unknown) => typeof text === 'string' && marks.every((mark) => text.includes(mark))
  return isMarked(desired.description) && !isMarked(actual.description)
}

/** Whether a value is this property of that object: by where it is read from, or by the actual value. */
function isOf(value: Value | undefined, one: DesiredObject, property: 'id' | 'appId', { state }: States) {
  if (value instanceof Unknown) return value.key === one.key
  return typeof value === 'string' && value === state.get(one.key)?.[property]
}

const find = (type: GraphType, value: Value | undefined, states: States) =>
  states.objects.find(
    (one) => one.type === type && isOf(value, one, type === 'applications' ? 'appId' : 'id', states),
  )

const propertiesOf = (one: DesiredObject | undefined, { state }: States): Properties =>
  one ? resolveObject(one, state) : {}

/** Some API pre-authorizes it, or it has a consent: its tokens come without anybody being asked. */
function isTrusted(app: DesiredObject, states: States): boolean {
  return states.objects.some((other) => {
    const properties = resolveObject(other, states.state)
    if (other.type === 'oauth2PermissionGrants') {
      const principal = find('servicePrincipals', properties.clientId, states)
      return isOf(propertiesOf(principal, states).appId, app, 'appId', states)
    }
    const clients = readObjects(readProperty(properties.api, 'preAuthorizedApplications'))
    return clients.some(({ appId }) => isOf(appId, app, 'appId', states))
  })
}

/** People get an assignment through a group or themselves; what nobody declares may be anything. */
function assigneeOf(principal: Value | undefined, states: States): Fact['assignee'] {
  if (find('groups', principal, states) || find('users', principal, states)) return 'people'
  return find('servicePrincipals', principal, states) ? 'service' : undefined
}

function isUserRole({ resourceId, appRoleId }: Properties, states: States): boolean {
  const principal = propertiesOf(find('servicePrincipals', resourceId, states), states)
  const app = propertiesOf(find('applications', principal.appId, states), states)
  const role = readObjects(app.appRoles).find(({ id }) => id === appRoleId)
  const members = readList(role?.allowedMemberTypes)
  return members.length > 0 && members.every((kind) => kind === 'User')
}
