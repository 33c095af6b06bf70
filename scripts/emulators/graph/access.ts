import { bearerClaims, type TokenFault } from '../api.ts'
import type { User } from '../directory-objects.ts'
import type { Entra } from '../entra/entra.ts'
import { GRAPH_APP_ID } from '../microsoft-apps.ts'
import { badRequest, denied, invalidToken } from './errors.ts'

/** Who calls Graph: a user through a client with delegated permissions, or an app with application permissions. */
export type Caller = Readonly<{
  /** Object id of the user or of the service principal: what becomes the owner of what it creates. */
  id: string
  permissions: ReadonlySet<string>
}> &
  (Readonly<{ kind: 'user'; user: User }> | Readonly<{ kind: 'app' }>)

export type UserCaller = Extract<Caller, { kind: 'user' }>

const AUDIENCES = ['https://graph.microsoft.com', 'https://graph.microsoft.com/', GRAPH_APP_ID]

const FAULTS: Readonly<Record<TokenFault, string>> = {
  missing: 'Access token is empty.',
  malformed: 'Access token is empty.',
  expired: 'Lifetime validation failed, the token is expired.',
  audience: 'Access token validation failure. Invalid audience.',
  issuer: 'Access token validation failure. Invalid claim.',
  signature: 'Signature is invalid.',
  claims: 'Access token validation failure. Invalid claim.',
}
const refuse = (fault: TokenFault) => invalidToken(FAULTS[fault])

/** Verifies the bearer token as Graph does: ours, v1, for Graph, in time. Throws a GraphError. */
export async function callerOf(entra: Entra, authorization: string | undefined): Promise<Caller> {
  const { oid, scopes, roles } = await bearerClaims(entra, authorization, AUDIENCES, refuse)
  if (scopes.length === 0) return { kind: 'app', id: oid, permissions: new Set(roles) }
  const user = entra.directory.user(oid)
  if (!user) throw invalidToken('The identity of the calling user could not be found.')
  return { kind: 'user', id: user.id, user, permissions: new Set(scopes) }
}

/** Throws for an app: it is nobody's `/me`. */
export function userOf(caller: Caller): UserCaller {
  if (caller.kind === 'app') throw badRequest('/me request is only valid with delegated authentication flow.')
  return caller
}

export function demand({ permissions }: Caller, ...anyOf: string[]): void {
  if (!anyOf.some((name) => permissions.has(name))) throw denied()
}
