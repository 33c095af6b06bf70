/** What other declared objects say of one: whether it is trusted, and what an assignment gives to whom. */
import { Unknown, type Value } from '../bicep/value.ts'
import type { Knowledge } from './knowledge.ts'
import { isProperties, type WantedProperties } from './open.ts'
import type { Fact } from './risk.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

interface Around {
  objects: readonly WantedObject[]
  knowledge: Knowledge
}

/** Whether a value is this property of that object: by where it is read from, or by the live value. */
function isOf(value: Value | undefined, one: WantedObject, property: 'id' | 'appId', { knowledge }: Around) {
  if (value instanceof Unknown) return value.key === one.key
  return typeof value === 'string' && value === knowledge.live(one.key)?.[property]
}

const find = (type: WantedObject['type'], value: Value | undefined, around: Around) =>
  around.objects.find(
    (one) => one.type === type && isOf(value, one, type === 'applications' ? 'appId' : 'id', around),
  )

const properties = (one: WantedObject | undefined, { knowledge }: Around): WantedProperties =>
  one ? propertiesOf(one, knowledge) : {}
const list = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : [])

/** Some API pre-authorizes it, or it has a consent: its tokens come without anybody being asked. */
function isTrusted(app: WantedObject, around: Around): boolean {
  return around.objects.some((other) => {
    const said = properties(other, around)
    if (other.type === 'oauth2PermissionGrants') {
      const principal = find('servicePrincipals', said.clientId, around)
      return principal !== undefined && isOf(properties(principal, around).appId, app, 'appId', around)
    }
    const clients = isProperties(said.api) ? list(said.api.preAuthorizedApplications) : []
    return clients.some((client) => isProperties(client) && isOf(client.appId, app, 'appId', around))
  })
}

/** People get an assignment through a group or themselves; what nobody declares may be anything. */
function assigneeOf(principal: Value | undefined, around: Around): Fact['assignee'] {
  if (find('groups', principal, around) || find('users', principal, around)) return 'people'
  return find('servicePrincipals', principal, around) ? 'service' : undefined
}

function isUserRole({ resourceId, appRoleId }: WantedProperties, around: Around): boolean {
  const principal = properties(find('servicePrincipals', resourceId, around), around)
  const app = properties(find('applications', principal.appId, around), around)
  const role = list(app.appRoles).find((one) => isProperties(one) && one.id === appRoleId)
  const members = isProperties(role) ? list(role.allowedMemberTypes) : []
  return members.length > 0 && members.every((kind) => kind === 'User')
}

export const relationsOf = (one: WantedObject, wanted: WantedProperties, around: Around) => ({
  isTrusted: one.type === 'applications' && isTrusted(one, around),
  assignee: one.type === 'appRoleAssignedTo' ? assigneeOf(wanted.principalId, around) : undefined,
  isUserRole: one.type === 'appRoleAssignedTo' && isUserRole(wanted, around),
})
