import { z } from 'zod'
import {
  type OAuth2PermissionGrant,
  PermissionGrantProperties,
} from '../../../../scripts/emulators/directory-objects.ts'
import type { Filterable } from '../../../../scripts/emulators/graph/filter.ts'
import { parseBody } from './body.ts'
import { type Call, created, done, list, one, type Reply, type Routes } from './endpoint.ts'
import { requestError, sameKey } from './errors.ts'
import { byId, mustFind, remove } from './lookup.ts'
import { demandReading, demandRight } from './rights.ts'

const KIND = 'oauth2PermissionGrant'
const FILTERS: Filterable = { clientId: 'eq', resourceId: 'eq', consentType: 'eq', principalId: 'eq' }

const Patch = z.strictObject({ scope: z.string().optional() })
const SUBJECT = { resource: 'OAuth2PermissionGrant', readOnly: ['id'] }
const FIXED = { ...SUBJECT, readOnly: ['id', 'clientId', 'consentType', 'principalId', 'resourceId'] }

/** Graph makes the id of the ids that it joins. */
const idOf = (...ids: string[]) =>
  ids.map((id) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')).join('-')

function create(call: Call): Reply {
  const { directory } = call
  demandRight(call, 'grantPermission')
  const { principalId, ...wanted } = parseBody(PermissionGrantProperties, call.body, SUBJECT)
  if ((wanted.consentType === 'Principal') !== (principalId !== null))
    throw requestError(
      "Invalid value specified for property 'principalId' of resource 'OAuth2PermissionGrant'.",
    )
  for (const id of [wanted.clientId, wanted.resourceId])
    mustFind(call, 'servicePrincipal', directory.servicePrincipals, byId(id))
  const same = (one: OAuth2PermissionGrant) =>
    one.clientId === wanted.clientId &&
    one.resourceId === wanted.resourceId &&
    one.consentType === wanted.consentType &&
    one.principalId === principalId
  if (directory.oauth2PermissionGrants.some(same)) throw sameKey('Permission entry already exists.')
  const ids = [wanted.clientId, wanted.resourceId, ...(principalId === null ? [] : [principalId])]
  const grant = { id: idOf(...ids), ...wanted, principalId }
  directory.oauth2PermissionGrants.push(grant)
  return created(grant)
}

const found = (call: Call) =>
  mustFind(call, KIND, call.directory.oauth2PermissionGrants, byId(call.param('id')))

/** The grant that a path names, for somebody who may change it, before he does. */
function writableGrant(call: Call): OAuth2PermissionGrant {
  demandRight(call, 'grantPermission')
  return found(call)
}

/** Consent: one object for each client, resource and kind of consent. */
export const PERMISSION_GRANT_ROUTES: Routes = {
  '/oauth2PermissionGrants': {
    get: (call) => {
      demandReading(call, 'permissionGrants')
      const listed = call.replication.listed(KIND, call.directory.oauth2PermissionGrants)
      return list(call, listed, FILTERS, SUBJECT.resource)
    },
    post: create,
  },
  '/oauth2PermissionGrants/:id': {
    get: (call) => {
      demandReading(call, 'permissionGrants')
      return one(call, found(call))
    },
    patch: (call) => {
      const grant = writableGrant(call)
      const { scope } = parseBody(Patch, call.body, FIXED)
      if (scope !== undefined) grant.scope = scope
      return done
    },
    delete: (call) => {
      const grant = writableGrant(call)
      remove(call.directory.oauth2PermissionGrants, grant)
      return done
    },
  },
}
