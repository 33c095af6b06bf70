import type { DirectoryRole } from '../../../../scripts/emulators/directory-objects.ts'
import * as me from '../../../../scripts/emulators/graph/me.ts'
import { ok, one, type Routes } from './endpoint.ts'
import { notFound } from './errors.ts'
import { keyOf } from './lookup.ts'
import { demandReading } from './rights.ts'

const roleView = ({ id, displayName, roleTemplateId }: DirectoryRole) => ({
  '@odata.type': '#microsoft.graph.directoryRole',
  id,
  displayName,
  description: null,
  roleTemplateId,
})

const rolesOf: typeof me.groupsOf = ({ id }, { directoryRoles }) =>
  directoryRoles.filter(({ members }) => members.includes(id)).map(roleView)

const all = me.memberships((...of) => [...me.groupsOf(...of), ...rolesOf(...of)], { cast: false })
const roles = me.memberships(rolesOf, { cast: true })

/** All read-only. */
export const PEOPLE_ROUTES: Routes = {
  '/me/transitiveMemberOf': { get: (call) => ok(all(call)) },
  '/me/transitiveMemberOf/microsoft.graph.directoryRole': { get: (call) => ok(roles(call)) },
  '/users/:key': {
    get: (call) => {
      demandReading(call, 'users')
      const { value } = keyOf(call.param('key'))
      const user = call.directory.user(value)
      if (!user) throw notFound(value)
      return one(call, me.profile(user))
    },
  },
  '/policies/authorizationPolicy': {
    get: (call) => {
      demandReading(call, 'policies')
      const defaultUserRolePermissions = call.directory.authorizationPolicy
      return one(call, { id: 'authorizationPolicy', defaultUserRolePermissions })
    },
  },
}
