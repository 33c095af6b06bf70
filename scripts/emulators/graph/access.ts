import { errors } from 'jose'
import { z } from 'zod'
import type { User } from '../directory-objects.ts'
import { type Entra, issuerV1, verifiedClaims } from '../entra/entra.ts'
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

const Claims = z.object({
  oid: z.string(),
  scp: z.string().min(1).optional(),
  roles: z.array(z.string()).optional(),
})

/** Verifies the bearer token as Graph does: ours, v1, for Graph, in time. Throws a GraphError. */
export async function callerOf(entra: Entra, authorization: string | undefined): Promise<Caller> {
  const [, token] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? []
  if (token === undefined) throw invalidToken('Access token is empty.')
  const { oid, scp, roles = [] } = claimsOf(await verified(entra, token))
  if (scp === undefined) return { kind: 'app', id: oid, permissions: new Set(roles) }
  const user = entra.directory.user(oid)
  if (!user) throw invalidToken('The identity of the calling user could not be found.')
  return { kind: 'user', id: user.id, user, permissions: new Set(scp.split(' ')) }
}

function claimsOf(payload: unknown) {
  const claims = Claims.safeParse(payload)
  if (!claims.success) throw invalidToken('Access token validation failure. Invalid claim.')
  return claims.data
}

/** Throws for an app: it is nobody's `/me`. */
export function userOf(caller: Caller): UserCaller {
  if (caller.kind === 'app') throw badRequest('/me request is only valid with delegated authentication flow.')
  return caller
}

export function demand({ permissions }: Caller, ...anyOf: string[]): void {
  if (!anyOf.some((name) => permissions.has(name))) throw denied()
}

async function verified(entra: Entra, token: string): Promise<unknown> {
  try {
    const audience = ['https://graph.microsoft.com', 'https://graph.microsoft.com/', GRAPH_APP_ID]
    return await verifiedClaims(entra, token, { issuer: issuerV1(entra), audience })
  } catch (error) {
    throw invalidToken(reasonOf(error))
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'Lifetime validation failed, the token is expired.'
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'Signature is invalid.'
  return `Access token validation failure. Invalid ${error.claim === 'aud' ? 'audience' : 'claim'}.`
}
