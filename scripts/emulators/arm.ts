import { randomUUID } from 'node:crypto'
import express, { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { ApiRefusal, asRefusal, inTrouble } from './api.ts'
import { callerOf, requireCostReader } from './arm/access.ts'
import { badRequest, outage, sendArmError, unauthorized } from './arm/errors.ts'
import { answerTo, readQuery, type Table } from './arm/query.ts'
import type { RoleAssignment, Subscription } from './arm/subscription.ts'
import type { Entra } from './entra/entra.ts'

const API_VERSION = '2024-08-01'
/** More pages than this that nobody has asked for are forgotten. */
const MAX_TOKENS = 1_000

export interface Arm {
  readonly entra: Entra
  /** Base URL: ARM_ENDPOINT. */
  readonly url: string
  readonly subscriptions: Subscription[]
  readonly roleAssignments: RoleAssignment[]
  /** Rows of a page; 5,000 as reported in Azure/azure-rest-api-specs#24284. */
  readonly settings: { pageSize: number }
  /** What each `$skiptoken` goes on with: the same question of the same caller. */
  readonly skipTokens: Map<string, { question: string; offset: number }>
}

export type AzureSeed = Readonly<{ subscriptions: Subscription[]; roleAssignments: RoleAssignment[] }>

export const armOf = (entra: Entra, url: string, seed: AzureSeed): Arm => ({
  ...{ entra, url, ...seed, settings: { pageSize: 5_000 }, skipTokens: new Map() },
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
    const question = JSON.stringify([caller, subscription.id, request.body])
    const page = pageOf(arm, answerTo(query, subscription), question, request)
    response.json(resultOf(arm, subscription, page))
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

type Page = Table & Readonly<{ nextToken: string | undefined }>

function pageOf(
  { settings, skipTokens }: Arm,
  { columns, rows }: Table,
  question: string,
  request: Request,
): Page {
  const token = request.query.$skiptoken
  const known = typeof token === 'string' ? skipTokens.get(token) : undefined
  // The next page is a question of its own, so it must be the same one: inferred.
  if (token !== undefined && known?.question !== question) throw badRequest('Invalid skip token.')
  const offset = known?.offset ?? 0
  const end = offset + settings.pageSize
  return {
    columns,
    rows: rows.slice(offset, end),
    nextToken: end < rows.length ? issue(skipTokens, { question, offset: end }) : undefined,
  }
}

function issue(tokens: Arm['skipTokens'], page: { question: string; offset: number }): string {
  const token = Buffer.from(randomUUID()).toString('base64')
  const [oldest] = tokens.keys()
  if (tokens.size >= MAX_TOKENS && oldest !== undefined) tokens.delete(oldest)
  tokens.set(token, page)
  return token
}

/** `QueryResult` of the API description. */
function resultOf({ url }: Arm, { id }: Subscription, { columns, rows, nextToken }: Page) {
  const name = randomUUID()
  const path = `subscriptions/${id}/providers/Microsoft.CostManagement/Query`
  const nextLink =
    nextToken === undefined
      ? null
      : `${url}/${path}?api-version=${API_VERSION}&$skiptoken=${encodeURIComponent(nextToken)}`
  return {
    ...{ id: `${path}/${name}`, name, type: 'Microsoft.CostManagement/query' },
    ...{ location: null, sku: null, eTag: null },
    properties: { nextLink, columns, rows },
  }
}
