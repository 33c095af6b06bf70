import { hash } from 'node:crypto'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { ApiRefusal, asRefusal, bearerClaims, inTrouble } from './api.ts'
import type { User } from './directory-objects.ts'
import type { Entra } from './entra/entra.ts'

/** Microsoft Learn, "Azure DevOps OAuth": the resource that tokens are asked for, in every tenant. */
export const DEVOPS_APP_ID = '499b84ac-1321-427f-aa17-267ca6975798'

/** "Profiles - Get" and "Accounts - List": both name this scope; `user_impersonation` is full access. */
const READERS = ['vso.profile', 'user_impersonation']

/** An id of Azure DevOps's own for whoever signs in: never the object id of Entra. */
const guidOf = (text: string) =>
  hash('sha256', text).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5')
const memberIdOf = ({ id }: User) => guidOf(`devops ${id}`)

/** Those who work there, and where. Everybody else is in no organisation. */
const ORGANISATIONS: Readonly<Record<string, readonly string[]>> = {
  Alice: ['fabrikam', 'contoso'],
  Bob: ['contoso'],
}
const organisationsOf = ({ givenName }: User) => ORGANISATIONS[givenName ?? ''] ?? []

// The REST reference gives 401 for a token that is missing, of another resource or over, and says no more. "OAuth 2.0,
// Scopes": what a token's scopes do not cover is refused; the reference names no other status for it.
const unauthorized = (why: string) => new ApiRefusal(401, 'UnauthorizedRequestException', `TF400813: ${why}`)
const unknownCaller = () => unauthorized('The user is not authorized to access this resource.')

/** The user of the token, who is there and gave the scope. Throws an ApiRefusal (401). */
async function callerOf(entra: Entra, authorization: string | undefined): Promise<User> {
  const { oid, scopes } = await bearerClaims(entra, authorization, DEVOPS_APP_ID, unknownCaller)
  const user = entra.directory.user(oid)
  if (!user) throw unknownCaller()
  if (!scopes.some((scope) => READERS.includes(scope)))
    throw unauthorized('The token lacks the scope vso.profile.')
  return user
}

/** "API and TFS version mapping": a preview version is asked for by its whole name. */
function requireVersion({ query }: Request, version: string): void {
  const asked = query['api-version']
  if (asked === version) return
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
