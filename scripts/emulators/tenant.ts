import { randomBytes } from 'node:crypto'
import express, { type ErrorRequestHandler } from 'express'
import type { JWTPayload } from 'jose'
import { z } from 'zod'
import { type AzureSeed, armOf, armRoutes } from './arm.ts'
import type { Dashboard } from './dashboard/dashboard.ts'
import { dashboardRoutes } from './dashboard/routes.ts'
import type { Directory } from './directory.ts'
import { DOWNSTREAM } from './downstream.ts'
import { delegatedAnswer } from './entra/answer.ts'
import { clientOf } from './entra/client-authentication.ts'
import { DEVICE_CODE_SECONDS } from './entra/device-code.ts'
import type { Entra } from './entra/entra.ts'
import { type KeyRing, makeKeyRing } from './entra/keys.ts'
import { managedIdentity } from './entra/managed-identity.ts'
import { entraRoutes } from './entra/routes.ts'
import { Tickets } from './entra/session.ts'
import type { GraphSettings } from './graph/query.ts'
import { type FurtherGraph, graphRoutes } from './graph.ts'
import { type Interventions, NO_INTERVENTIONS } from './interventions.ts'
import { listenOnLoopback } from './loopback.ts'
import type { SearchRole } from './search/access.ts'
import { type Search, searchRoutes } from './search.ts'

interface TenantOptions {
  /** 0 = any free port. */
  port: number
  directory: Directory
  tenantId: string
  moreToTry?: Entra['moreToTry']
  /** Told of every token, and shown at the tenant's address. */
  dashboard?: Dashboard
  /** Subscriptions and who may read their costs; none when left out. */
  azure?: AzureSeed
  /** Who may do what with the search service. */
  searchRoles?: readonly SearchRole[]
  /** Milliseconds since 1970; instead of the clock, for tests that must not wait. */
  now?: () => number
  /** Of tests. */
  interventions?: Interventions
  /** Of tests. Without it only what the server asks of Microsoft Graph is answered. */
  furtherGraph?: FurtherGraph
}

export type Tenant = Awaited<ReturnType<typeof startTenant>>

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

function entraOf(options: TenantOptions, url: string, keys: KeyRing): Entra {
  const { directory, tenantId, now = Date.now } = options
  return {
    url,
    tenantId,
    directory,
    keys,
    interventions: options.interventions ?? NO_INTERVENTIONS,
    now,
    identityHeader: randomBytes(16).toString('hex'),
    moreToTry: options.moreToTry ?? new Map(),
    pending: new Tickets(15 * MINUTE, now),
    codes: new Tickets(10 * MINUTE, now),
    refreshTokens: new Tickets(90 * DAY, now),
    deviceCodes: new Tickets(DEVICE_CODE_SECONDS * 1000, now),
  }
}

/** The emulated tenant: Entra, Microsoft Graph, Azure AI Search and the managed-identity endpoint on one loopback port. */
export async function startTenant(options: TenantOptions) {
  const keys = await makeKeyRing(options.dashboard?.issued)
  const app = express().disable('x-powered-by').disable('etag')
  const { port, close } = await listenOnLoopback(app, options.port, 'TENANT_PORT')
  const url = `http://localhost:${port}`
  const entra = entraOf(options, url, keys)
  const graphUrl = `${url}/graph`
  const graph: GraphSettings = { pageSize: 100, emptyFirstPage: false }
  const search: Search = { roles: [...(options.searchRoles ?? [])], indexes: new Map() }
  const { directory, furtherGraph } = options
  app.use('/graph', graphRoutes({ entra, directory, url: graphUrl, settings: graph }, furtherGraph))
  const arm = armOf(
    entra,
    `${url}/downstream/arm`,
    options.azure ?? { subscriptions: [], roleAssignments: [] },
  )
  app.use('/downstream/arm', armRoutes(arm))
  app.use('/search', searchRoutes(entra, search))
  app.get('/msi/token', managedIdentity(entra))
  if (options.dashboard) app.use(dashboardRoutes(options.dashboard))
  for (const [name, routes] of Object.entries(DOWNSTREAM)) app.use(`/downstream/${name}`, routes(entra))
  app.use('/:tenant', entraRoutes(entra))
  app.use((_request, response) => response.sendStatus(404))
  app.use(lastResort)
  const others = Object.keys(DOWNSTREAM).map((name) => [name, `${url}/downstream/${name}`])
  const downstreamUrls: Record<string, string> = { ...Object.fromEntries(others), arm: arm.url }
  return {
    /** Takes the place of https://login.microsoftonline.com: ENTRA_AUTHORITY_HOST. */
    url,
    /** GRAPH_ENDPOINT. */
    graphUrl,
    /** Of the other downstream APIs, by name: `<NAME>_ENDPOINT`. */
    downstreamUrls,
    /** SEARCH_ENDPOINT. */
    searchUrl: `${url}/search`,
    /** IDENTITY_ENDPOINT and IDENTITY_HEADER. */
    identityEndpoint: `${url}/msi/token`,
    identityHeader: entra.identityHeader,
    tenantId: options.tenantId,
    directory,
    graph,
    /** Azure Resource Manager: subscriptions, roles, pages. */
    arm,
    /** The search service behind `searchUrl`. */
    search,
    keys,
    /** Signs exactly these claims, nothing added: for hostile tokens. */
    sign: (claims: JWTPayload) => keys.sign(claims),
    /** What a client that needs no proof gets for somebody who is signed in; refused as by the token endpoint. */
    async tokenOf(userId: string, clientId: string, scope: string): Promise<string> {
      const client = clientOf(entra, { client_id: clientId })
      const session = { clientId, userId, scope, publicClient: true, steppedUp: false }
      return (await delegatedAnswer(entra, client, '0', session, {})).access_token
    },
    close,
  }
}

const Status = z.object({ status: z.number().int().min(400).max(499) })

/** A body that cannot be read is the caller's fault; its error quotes the body, so it is not logged. */
const lastResort: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const known = Status.safeParse(error)
  if (!known.success) console.error(error)
  response.sendStatus(known.data?.status ?? 500)
}
