import { createHash } from 'node:crypto'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import { ApiRefusal, asRefusal, inTrouble } from './api.ts'
import type { User } from './directory-objects.ts'
import { type Entra, issuerV1, verifiedClaims } from './entra/entra.ts'

/** Microsoft Learn, "Azure DevOps OAuth": the resource that tokens are asked for, in every tenant. */
export const DEVOPS_APP_ID = '499b84ac-1321-427f-aa17-267ca6975798'

/** "Profiles - Get" and "Accounts - List": both name this scope; `user_impersonation` is full access. */
const READERS = ['vso.profile', 'user_impersonation']

const Claims = z.object({ oid: z.string(), scp: z.string().min(1) })

/** An id of Azure DevOps's own for whoever signs in: never the object id of Entra. */
const guidOf = (text: string) => {
  const [, a, b, c, d, e] =
    /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(createHash('sha256').update(text).digest('hex')) ?? []
  return `${a}-${b}-4${c}-8${d}-${e}`
}
const memberIdOf = ({ id }: User) => guidOf(`devops ${id}`)

/** Those who work there, and where. Everybody else is in no organisation. */
const ORGANISATIONS: Readonly<Record<string, readonly string[]>> = {
  Alice: ['fabrikam', 'contoso'],
  Bob: ['contoso'],
}
const organisationsOf = ({ givenName }: User) => ORGANISATIONS[givenName ?? ''] ?? []

/** Ours, v1, for Azure DevOps, in time, of a user that is there, with the scope. */
async function callerOf(entra: Entra, authorization: string | undefined): Promise<User> {
  const [, token] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? []
  const claims = token
    ? await verifiedClaims(entra, token, { issuer: issuerV1(entra), audience: DEVOPS_APP_ID }).catch(
        () => undefined,
      )
    : undefined
  const parsed = Claims.safeParse(claims)
  const user = parsed.data && entra.directory.user(parsed.data.oid)
  // The REST reference gives 401 for a token that is missing, of another resource or over, and says no more.
  if (!parsed.data || !user)
    throw new ApiRefusal(
      401,
      'UnauthorizedRequestException',
      'TF400813: The user is not authorized to access this resource.',
    )
  if (READERS.some((scope) => parsed.data.scp.split(' ').includes(scope))) return user
  // "OAuth 2.0, Scopes": what a token's scopes do not cover is refused; the reference names no other status for it.
  throw new ApiRefusal(
    401,
    'UnauthorizedRequestException',
    'TF400813: The token lacks the scope vso.profile.',
  )
}

/** "API and TFS version mapping": a preview version is asked for by its whole name. */
function requireVersion({ query }: Request, version: string): void {
  if (query['api-version'] === version) return
  const asked = query['api-version']
  throw asked
    ? new ApiRefusal(
        400,
        'VssInvalidPreviewVersionException',
        `The requested version "${asked}" is not ${version}.`,
      )
    : new ApiRefusal(400, 'VssVersionNotSpecifiedException', 'No api-version was supplied for the request.')
}

/** "Profiles - Get", id `me`, without `details`. */
function profile(request: Request, user: User) {
  requireVersion(request, '7.1-preview.3')
  const id = memberIdOf(user)
  return {
    displayName: user.displayName,
    publicAlias: id,
    emailAddress: user.mail ?? user.userPrincipalName,
    coreRevision: 1,
    timeStamp: '2026-01-01T00:00:00+00:00',
    id,
    revision: 1,
  }
}

/** "Accounts - List": one of ownerId and memberId is required. Of others the reference says nothing: refused. */
function accounts(request: Request, user: User) {
  requireVersion(request, '7.1-preview.1')
  const { memberId } = request.query
  if (!memberId) throw new ApiRefusal(400, 'AccountQueryException', 'Specify ownerId or memberId.')
  if (memberId !== memberIdOf(user))
    throw new ApiRefusal(
      403,
      'AccessCheckException',
      'TF50309: You do not have permission to read these accounts.',
    )
  const value = organisationsOf(user).map((accountName) => ({
    accountId: guidOf(`account ${accountName}`),
    accountUri: `https://vssps.dev.azure.com/${accountName}/`,
    accountName,
    properties: {},
  }))
  return { count: value.length, value }
}

const API = {
  name: 'devops',
  /** "Errors" of the REST reference: a message and the name of an exception. */
  send: (response: Response, { status, code: typeKey, message }: ApiRefusal) =>
    void response
      .status(status)
      .json({ $id: '1', innerException: null, message, typeKey, errorCode: 0, eventId: 3000 }),
  outage: (status: number) => new ApiRefusal(status, 'VssServiceException', 'The service is not available.'),
} as const

/** Azure DevOps Services, as far as profiles and organisations go: takes the place of https://app.vssps.visualstudio.com. */
export function devopsRoutes(entra: Entra): Router {
  const answer =
    (work: (request: Request, user: User) => object): RequestHandler =>
    async (request, response) =>
      void response.json(work(request, await callerOf(entra, request.get('authorization'))))
  const router = Router()
  router.use(inTrouble(entra, API))
  router.get('/_apis/profile/profiles/me', answer(profile))
  router.get('/_apis/accounts', answer(accounts))
  router.use(() => {
    throw new ApiRefusal(404, 'VssResourceNotFoundException', 'The controller for this path was not found.')
  })
  router.use(asRefusal(API))
  return router
}
