import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { refuse } from '../../../../scripts/emulators/graph/errors.ts'
import { said } from './body.ts'
import { entityRoutes } from './entity-routes.ts'
import { born, type EntitySet } from './entity-set.ts'
import { requestError, sameKey, takenValue } from './errors.ts'
import { find, indexed } from './lookup.ts'
import { demandRight } from './rights.ts'

const Creation = z.strictObject({
  appId: z.guid(),
  displayName: z.string().min(1).max(256).optional(),
  description: z.string().nullish(),
  notes: z.string().nullish(),
  tags: z.array(z.string()).optional(),
  accountEnabled: z.boolean().optional(),
  appRoleAssignmentRequired: z.boolean().optional(),
  passwordCredentials: z.array(z.never()).optional(),
  keyCredentials: z.array(z.never()).optional(),
})
const Patch = Creation.partial()
type Patch = z.infer<typeof Patch>

/** A property that is not said stays as it is. */
const written = ({ passwordCredentials: _, keyCredentials: __, appId: ___, ...rest }: Patch) => said(rest)

export const SERVICE_PRINCIPALS: EntitySet<'servicePrincipal', z.infer<typeof Creation>, Patch> = {
  kind: 'servicePrincipal',
  name: 'servicePrincipals',
  resource: 'ServicePrincipal',
  key: 'appId',
  readOnly: ['id', 'createdDateTime', 'deletedDateTime', 'servicePrincipalType', 'appDisplayName'],
  creation: Creation,
  patch: Patch,
  filters: {
    id: 'eq',
    appId: 'eq',
    displayName: 'eq',
    servicePrincipalType: 'eq',
    servicePrincipalNames: 'any',
    tags: 'any',
  },
  // Whoever owns the app may create its service principal, so the app has to be known first.
  rights: { read: 'applications', create: undefined, change: 'changeApplication' },
  relationships: { owners: ['user', 'servicePrincipal'] },
  all: ({ servicePrincipals }) => servicePrincipals,
  deleted: ({ deletedItems }) => deletedItems.servicePrincipals,
  /** With what it shows of its app. */
  view({ owners: _, ...shown }, directory) {
    const app = directory.application(shown.appId)
    return {
      ...shown,
      description: shown.description ?? null,
      notes: shown.notes ?? null,
      tags: shown.tags ?? [],
      passwordCredentials: (shown.passwordCredentials ?? []).map((one) => ({ ...one, secretText: null })),
      keyCredentials: (shown.keyCredentials ?? []).map((one) => ({ ...one, key: null })),
      deletedDateTime: null,
      appDisplayName: app?.displayName ?? null,
      appRoles: app?.appRoles ?? [],
      oauth2PermissionScopes: app?.api.oauth2PermissionScopes ?? [],
      servicePrincipalNames: [...(app?.identifierUris ?? []), shown.appId],
      signInAudience: app?.signInAudience ?? null,
    }
  },
  create(call, creation) {
    const { directory } = call
    const key = { property: 'appId', value: creation.appId }
    const app =
      find(call, 'application', directory.applications, key) ?? indexed(directory.microsoftApplications, key)
    if (!app)
      throw refuse`400 NoBackingApplicationObject: The appId '${key.value}' of the service principal does not reference a valid application object.`
    demandRight(call, 'changeApplication', directory.isFirstParty(app.appId) ? [] : app.owners)
    if (directory.servicePrincipal(app.appId))
      throw sameKey(
        `The service principal cannot be created, updated, or restored because the service principal name ${app.appId} is already in use.`,
      )
    return {
      id: randomUUID(),
      appId: app.appId,
      displayName: app.displayName,
      servicePrincipalType: 'Application',
      accountEnabled: true,
      appRoleAssignmentRequired: false,
      ...born(call),
      ...written(creation),
    }
  },
  change(_call, { appId }, patch) {
    if (patch.appId !== undefined && patch.appId !== appId)
      throw requestError("Property 'appId' is read-only and cannot be set.")
    return written(patch)
  },
  checkRestored(directory, { appId }) {
    if (directory.servicePrincipal(appId)) throw takenValue('servicePrincipalNames')
  },
}

export const SERVICE_PRINCIPAL_ROUTES = entityRoutes(SERVICE_PRINCIPALS)
