/** An app of the tenant that stands for itself, with the app roles that were assigned to it. */
import { randomUUID } from 'node:crypto'
import ky from 'ky'
import { z } from 'zod'
import { DEFAULT_ACCESS } from '../../scripts/emulators/directory.ts'
import { blankApplication } from '../../scripts/emulators/microsoft-apps.ts'
import type { System } from './system.ts'

export type ServiceApp = ReturnType<typeof addService>

type Tenant = Pick<System, 'tenant' | 'seed' | 'mcp'>

/** `roles`: values of app roles; without one it is assigned all the same, so that Entra gives it tokens. */
export function addService({ tenant, seed, mcp }: Tenant, roles: readonly string[] = []) {
  const { directory } = tenant
  const [id, appId, principalId] = [randomUUID(), randomUUID(), randomUUID()]
  const app = blankApplication(id, appId, 'Nightly report')
  directory.applications.push(app)
  directory.servicePrincipals.push({
    id: principalId,
    appId,
    displayName: app.displayName,
    servicePrincipalType: 'Application',
    accountEnabled: true,
    appRoleAssignmentRequired: false,
  })
  const resourceId = directory.servicePrincipal(seed.apiAppId)?.id ?? ''
  const declared = directory.application(seed.apiAppId)?.appRoles ?? []
  const ids = roles.map((role) => declared.find(({ value }) => value === role)?.id ?? `no role ${role}`)
  const assignments = (ids.length > 0 ? ids : [DEFAULT_ACCESS]).map((appRoleId) => {
    const assignment = { id: randomUUID(), appRoleId, principalId, resourceId }
    return { ...assignment, principalType: 'ServicePrincipal' as const }
  })
  directory.appRoleAssignments.push(...assignments)
  const secret = () => directory.addPassword(app, 'test', new Date(Date.now() + 60_000)).secretText
  return {
    app,
    appId,
    principalId,
    secret,
    /** An app-only token for the server, or for another resource. */
    async token(resource = mcp): Promise<string> {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: appId,
        client_secret: secret(),
        scope: `${resource}/.default`,
      })
      const answer = await ky.post(`${tenant.url}/${seed.tenantId}/oauth2/v2.0/token`, { body }).json()
      return z.object({ access_token: z.string() }).parse(answer).access_token
    },
    /** Takes its assignments away. */
    unassign() {
      for (const assignment of assignments)
        directory.appRoleAssignments.splice(directory.appRoleAssignments.indexOf(assignment), 1)
    },
  }
}
