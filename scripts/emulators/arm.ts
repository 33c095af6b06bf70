import { randomUUID } from 'node:crypto'
import express, { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { ApiRefusal, asRefusal, inTrouble } from './api.ts'
import { callerOf, type RoleAssignment, requireCostReader } from './arm/access.ts'
import { badRequest, outage, sendArmError, unauthorized } from './arm/errors.ts'
import { answerTo, readQuery, type Subscription, type Table } from './arm/query.ts'
import { continuationOf, continuedAt } from './continuation.ts'
import type { Entra } from './entra/entra.ts'

const API_VERSION = '2024-08-01'

interface Arm {
  readonly entra: Entra
  /** Base URL: ARM_ENDPOINT. */
  readonly url: string
  readonly subscriptions: Subscription[]
  readonly roleAssignments: RoleAssignment[]
  /** Rows of a page; 5,000 as reported in Azure/azure-rest-api-specs#24284. */
  readonly settings: { pageSize: number }
}

export type AzureSeed = Readonly<{ subscriptions: Subscription[]; roleAssignments: RoleAssignment[] }>

export const armOf = (entra: Entra, url: string, seed: AzureSeed): Arm => ({
  ...seed,
  entra,
  url,
  settings: { pageSize: 5_000 },
})

/** Azure Resource Manager, as far as the Cost Management Query API needs it. */
export function armRoutes(arm: Arm): Router {
  const unreadable = () => badRequest('The request content was invalid.')
  const api = { name: 'arm', send: sendArmError, outage, unreadable } as const
  const router = Router()
  router.use(inTrouble(arm.entra, api))
  router.post(
    '/subscriptions/:subscription/providers/Microsoft.CostManagement/query',
    express.json({ limit: '1mb' }),
    usage(arm),
  )
  router.use(async (request) => {
    await callerOf(arm.entra, request.get('authorization'))
    throw new ApiRefusal(404, 'InvalidResourceType', 'The resource type could not be found.')
  })
  router.use(asRefusal(api))
  return router
}

/** Query_Usage of the API description; the order of the checks is inferred. */
function usage(arm: Arm): RequestHandler {
  return async (request, response) => {
    const caller = await callerOf(arm.entra, request.get('authorization'))
    requireApiVersion(request)
    const subscription = subscriptionOf(arm, String(request.params.subscription))
    requireCostReader(arm.entra.directory, caller, subscription.id, arm.roleAssignments)
    if (subscription.state === 'no_offer')
      throw new ApiRefusal(
        404,
        'NotFound',
        `Given subscription ${subscription.id} doesn't have valid WebDirect/AIRS offer type.`,
      )
    const query = readQuery(request.body, arm.entra.now())
    arm.entra.interventions.spend(query.timePeriod)
    if (subscription.state === 'no_usage') return void response.status(204).end()
    const question = [caller, subscription.id, request.body]
    const answer = answerTo(query, subscription)
    response.json(resultOf(arm, subscription.id, answer, question, request.query.$skiptoken))
  }
}

function requireApiVersion(request: Request): void {
  const version = request.query['api-version']
  if (version === undefined)
    throw new ApiRefusal(400, 'MissingApiVersionParameter', 'The api-version query parameter is required.')
  // Code as in Azure/azure-sdk-for-java#19950.
  if (version !== API_VERSION)
    throw new ApiRefusal(
      404,
      'InvalidResourceType',
      `The resource type 'Query' could not be found for api version '${version}'.`,
    )
  const other = Object.keys(request.query).find((name) => !['api-version', '$skiptoken'].includes(name))
  if (other !== undefined) throw badRequest(`The query parameter '${other}' is not supported.`)
}

function subscriptionOf({ entra, subscriptions }: Arm, id: string): Subscription {
  if (!z.guid().safeParse(id).success)
    throw new ApiRefusal(
      400,
      'InvalidSubscriptionId',
      `The provided subscription identifier '${id}' is malformed or invalid.`,
    )
  const found = subscriptions.find((one) => one.id === id.toLowerCase())
  if (!found)
    throw new ApiRefusal(404, 'SubscriptionNotFound', `The subscription '${id}' could not be found.`)
  // Code as in Azure/BatchExplorer#2044.
  if (found.tenantId !== entra.tenantId)
    throw unauthorized('InvalidAuthenticationTokenTenant', 'The access token is from the wrong issuer.')
  return found
}

/** `QueryResult` of the API description: one page of the rows. `token`: the `$skiptoken` of the request. */
function resultOf(
  { url, settings }: Arm,
  id: string,
  { columns, rows }: Table,
  question: unknown,
  token: unknown,
) {
  const offset = token === undefined ? 0 : continuedAt(String(token), question)
  // The next page is a question of its own, so it must be the same one: inferred.
  if (typeof offset !== 'number') throw badRequest('Invalid skip token.')
  const end = offset + settings.pageSize
  const name = randomUUID()
  const path = `subscriptions/${id}/providers/Microsoft.CostManagement/Query`
  const next = `${url}/${path}?api-version=${API_VERSION}&$skiptoken=${continuationOf(question, end)}`
  return {
    ...{ id: `${path}/${name}`, name, type: 'Microsoft.CostManagement/query' },
    ...{ location: null, sku: null, eTag: null },
    properties: { nextLink: end < rows.length ? next : null, columns, rows: rows.slice(offset, end) },
  }
}
