import { Router } from 'express'
import { z } from 'zod'
import type { OAuth2PermissionGrant } from '../directory-objects.ts'
import { nullable, parseBody } from './body.ts'
import { type Call, created, done, endpoint, type Graph, list, one, type Reply } from './endpoint.ts'
import { requestError, sameKey } from './errors.ts'
import type { Filterable } from './filter.ts'
import { byId, mustFind, remove } from './lookup.ts'
import { demandReading, demandRight } from './rights.ts'

const KIND = 'oauth2PermissionGrant'
const FILTERS: Filterable = { clientId: ['eq'], resourceId: ['eq'], consentType: ['eq'], principalId: ['eq'] }

const Body = z.strictObject({
  clientId: z.guid(),
  consentType: z.enum(['AllPrincipals', 'Principal']),
  principalId: nullable(z.guid()),
  resourceId: z.guid(),
  scope: z.string(),
})
const Patch = z.strictObject({ scope: z.string().optional() })
const SUBJECT = { resource: 'OAuth2PermissionGrant', readOnly: ['id'] }
const FIXED = { ...SUBJECT, readOnly: ['id', 'clientId', 'consentType', 'principalId', 'resourceId'] }

/** Graph makes the id of the ids that it joins. */
const idOf = (...ids: string[]) =>
  ids.map((id) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')).join('-')

function create(graph: Graph, { caller, body }: Call): Reply {
  const { directory, replication } = graph
  demandRight(directory, caller, 'grantPermission')
  const { principalId: principal, ...wanted } = parseBody(Body, body, SUBJECT)
  const principalId = principal ?? null
  if ((wanted.consentType === 'Principal') !== (principalId !== null))
    throw requestError(
      "Invalid value specified for property 'principalId' of resource 'OAuth2PermissionGrant'.",
    )
  for (const id of [wanted.clientId, wanted.resourceId])
    mustFind(graph, 'servicePrincipal', directory.servicePrincipals, byId(id))
  const same = (one: OAuth2PermissionGrant) =>
    one.clientId === wanted.clientId &&
    one.resourceId === wanted.resourceId &&
    one.consentType === wanted.consentType &&
    one.principalId === principalId
  if (directory.oauth2PermissionGrants.some(same)) throw sameKey('Permission entry already exists.')
  const ids = [wanted.clientId, wanted.resourceId, ...(principalId === null ? [] : [principalId])]
  const grant = { id: idOf(...ids), ...wanted, principalId }
  directory.oauth2PermissionGrants.push(grant)
  replication.created(KIND, grant.id)
  return created(grant)
}

/** /oauth2PermissionGrants: consent, one object for each client, resource and kind of consent. */
export function permissionGrantRoutes(graph: Graph): Router {
  const { directory, replication } = graph
  const grants = directory.oauth2PermissionGrants
  const isGrant = (item: object): item is OAuth2PermissionGrant => 'consentType' in item
  const found = ({ param }: Call) => mustFind(graph, KIND, grants, byId(param('id')))
  const router = Router()
  router
    .route('/oauth2PermissionGrants')
    .get(
      endpoint(graph, (call) => {
        demandReading(call.caller, 'permissionGrants')
        return list(graph, call, replication.listed(KIND, grants, isGrant), FILTERS, 'OAuth2PermissionGrant')
      }),
    )
    .post(endpoint(graph, (call) => create(graph, call)))
  router
    .route('/oauth2PermissionGrants/:id')
    .get(
      endpoint(graph, (call) => {
        demandReading(call.caller, 'permissionGrants')
        return one(call, found(call))
      }),
    )
    .patch(
      endpoint(graph, (call) => {
        demandRight(directory, call.caller, 'grantPermission')
        const grant = found(call)
        const { scope } = parseBody(Patch, call.body, FIXED)
        replication.changed(KIND, { ...grant })
        if (scope !== undefined) grant.scope = scope
        return done
      }),
    )
    .delete(
      endpoint(graph, (call) => {
        demandRight(directory, call.caller, 'grantPermission')
        const grant = found(call)
        replication.changed(KIND, { ...grant })
        remove(grants, grant)
        return done
      }),
    )
  return router
}
