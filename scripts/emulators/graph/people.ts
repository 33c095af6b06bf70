import { Router } from 'express'
import type { DirectoryRole, User } from '../directory-objects.ts'
import { endpoint, type Graph, list, one } from './endpoint.ts'
import { notFound } from './errors.ts'
import type { Filterable } from './filter.ts'
import { keyOf } from './keys.ts'
import { demandReading } from './rights.ts'

const FILTERS: Filterable = {
  id: ['eq', 'ne', 'in'],
  displayName: ['eq', 'startswith'],
  userPrincipalName: ['eq', 'in', 'startswith', 'endswith'],
  mail: ['eq', 'startswith', 'endswith'],
}

/** A user as Graph shows one when nothing is selected. */
export const profile = ({ id, displayName, givenName, surname, mail, userPrincipalName }: User) => ({
  businessPhones: [],
  displayName,
  givenName,
  jobTitle: null,
  mail,
  mobilePhone: null,
  officeLocation: null,
  preferredLanguage: null,
  surname,
  userPrincipalName,
  id,
})

export const roleView = ({ id, displayName, roleTemplateId }: DirectoryRole) => ({
  '@odata.type': '#microsoft.graph.directoryRole',
  id,
  displayName,
  description: null,
  roleTemplateId,
})

/** /users, /organization and /policies/authorizationPolicy: all read-only. */
export function peopleRoutes(graph: Graph): Router {
  const { directory, entra } = graph
  const router = Router()
  router.get(
    '/users',
    endpoint(graph, (call) => {
      demandReading(call.caller, 'users')
      return list(graph, call, directory.users.map(profile), FILTERS, 'User')
    }),
  )
  router.get(
    '/users/:key',
    endpoint(graph, (call) => {
      demandReading(call.caller, 'users')
      const { value } = keyOf(call.param('key'))
      const user = directory.user(value)
      if (!user) throw notFound(value)
      return one(call, profile(user))
    }),
  )
  router.get(
    '/organization',
    endpoint(graph, (call) => {
      demandReading(call.caller, 'organization')
      const domain = { name: 'contoso.example', isDefault: true, isInitial: true, type: 'Managed' }
      const organization = { id: entra.tenantId, displayName: 'Contoso', verifiedDomains: [domain] }
      return list(graph, call, [organization], {}, 'Organization')
    }),
  )
  router.get(
    '/policies/authorizationPolicy',
    endpoint(graph, (call) => {
      demandReading(call.caller, 'policies')
      const defaultUserRolePermissions = directory.authorizationPolicy
      return one(call, { id: 'authorizationPolicy', defaultUserRolePermissions })
    }),
  )
  return router
}
