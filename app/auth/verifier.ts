import { errors, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import { Cache, type Loaded } from '../cache.ts'
import type { Config } from '../config.ts'
import { tracedStep } from '../telemetry/trace.ts'
import type { SigningKeys } from './keys.ts'

declare const userId: unique symbol

/** The `oid` of a verified access token: the caller, and the partition key of everything they own. */
export type UserId = string & { readonly [userId]: true }

/** Who calls, as the verified access token says. */
export type Caller = Readonly<{
  userId: UserId
  /** The access token itself: the assertion of the on-behalf-of exchange. Never logged. */
  token: string
  /** Full scopes: `<MCP URL>/<short name of the scp claim>`. */
  scopes: ReadonlySet<string>
  roles: ReadonlySet<string>
  /** The client's application id (`azp`). */
  client: string | undefined
  /** The client says that it answers claims challenges (`xms_cc`, an optional claim of Entra). */
  handlesClaims?: boolean
}>

declare const serviceId: unique symbol

/** The `oid` of a service principal. It is no user, so nothing that belongs to a user can be asked for with it. */
export type ServiceId = string & { readonly [serviceId]: true }

/** A program that stands for itself, as its app-only access token says: it has app roles and no user behind it. */
export type ServiceCaller = Readonly<{
  serviceId: ServiceId
  token: string
  roles: ReadonlySet<string>
  /** The client's application id (`azp`). */
  client: string
}>

/** Whoever a verified access token speaks for. */
export type Bearer = Caller | ServiceCaller

export const isService = (bearer: Bearer): bearer is ServiceCaller => 'serviceId' in bearer

/** Whose requests are counted together. */
export const idOf = (bearer: Bearer): UserId | ServiceId =>
  isService(bearer) ? bearer.serviceId : bearer.userId

/** The token is not acceptable. `reason` is a fixed word for the audit line, the message is for the caller. */
export class TokenRefused extends Error {
  override name = 'TokenRefused'
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

const CLOCK_SKEW_SECONDS = 300
/**
 * An agent sends the same token with every call, and its signature is half of what a request costs. A
 * withdrawn signing key is trusted for this much longer.
 */
const REMEMBERED_MS = 60_000
/** Room for some 20,000 usual tokens of 1.8 KB, and for fewer of users with many groups. */
const REMEMBERED_BYTES = 56 * 1024 * 1024
/** Measured: what a remembered caller takes beside the token's text, sets of scopes and roles included. */
const CALLER_BYTES = 1_000
const ROLE_BYTES = 100

/**
 * Verifies access tokens of Entra's v2.0 endpoint (Microsoft identity platform, "Access token claims
 * reference"): RS256 only; issuer, audience and tenant compared exactly; a person's or a service's, never both.
 */
export class Verifier {
  readonly #config
  readonly #keys
  readonly #claims
  readonly #appOnlyClaims
  readonly #verified = new Cache(
    {
      bytes: REMEMBERED_BYTES,
      sizeOf: ({ token, roles }: Bearer) => token.length + CALLER_BYTES + roles.size * ROLE_BYTES,
    },
    (token: string) => this.#verify(token),
  )

  constructor(
    config: Pick<Config, 'tenantId' | 'clientId' | 'authorityHost' | 'serverUrl' | 'tokenMaxAgeHours'>,
    keys: SigningKeys,
  ) {
    this.#config = config
    this.#keys = keys
    const always = z.object({
      aud: z.literal(config.clientId, 'is not this server'),
      tid: z.literal(config.tenantId, 'is another tenant'),
      ver: z.literal('2.0', 'is not 2.0'),
      oid: z.guid('is missing or not a GUID'),
      exp: z.number(),
      iat: z.number(),
      roles: z.array(z.string()).default([]),
    })
    this.#claims = always.extend({
      idtyp: z.literal('user', 'is neither user nor app').optional(),
      scp: z
        .string('is missing, as from a token without a user, and idtyp does not say app')
        .min(1, 'is empty'),
      azp: z.string().optional(),
      xms_cc: z.array(z.string().toLowerCase()).catch([]),
    })
    // The claim tells an app's token from a person's ("Optional claims reference", idtyp); infra/identity.bicep asks for it.
    this.#appOnlyClaims = always.extend({
      scp: z.undefined('has no place in an app-only token').optional(),
      azp: z.guid('is missing or not a GUID'),
    })
  }

  /** Whether the token was verified a moment ago. */
  knows(token: string): boolean {
    return this.#verified.known(token) !== undefined
  }

  /** Throws TokenRefused (the caller's fault) or KeysUnavailable (ours). */
  verify(token: string): Promise<Bearer> {
    return this.#verified.get(token, token)
  }

  #verify(token: string): Promise<Loaded<Bearer>> {
    return tracedStep('verify the access token', () => this.#checked(token))
  }

  async #checked(token: string): Promise<Loaded<Bearer>> {
    const claims = await this.#verifiedClaims(token)
    const { exp, iat, bearer } =
      claims.idtyp === 'app' ? this.#serviceOf(claims, token) : this.#callerOf(claims, token)
    const end = Math.min(exp, iat + this.#config.tokenMaxAgeHours * 3600) + CLOCK_SKEW_SECONDS
    return { value: bearer, milliseconds: Math.min(REMEMBERED_MS, end * 1000 - Date.now()) }
  }

  #callerOf(claims: JWTPayload, token: string) {
    const { oid, scp, roles, azp, xms_cc, exp, iat } = accepted(this.#claims, claims)
    const bearer: Caller = {
      // The only place where a user id is made.
      userId: oid.toLowerCase() as UserId,
      token,
      scopes: new Set(scp.split(' ').map((scope) => `${this.#config.serverUrl}/${scope}`)),
      roles: new Set(roles),
      client: azp,
      handlesClaims: xms_cc.includes('cp1'),
    }
    return { bearer, exp, iat }
  }

  #serviceOf(claims: JWTPayload, token: string) {
    const { oid, roles, azp, exp, iat } = accepted(this.#appOnlyClaims, claims)
    // The only place where a service id is made.
    const serviceId = oid.toLowerCase() as ServiceId
    const bearer: ServiceCaller = { serviceId, token, roles: new Set(roles), client: azp }
    return { bearer, exp, iat }
  }

  async #verifiedClaims(token: string) {
    const { authorityHost, tenantId, clientId, tokenMaxAgeHours } = this.#config
    try {
      const { payload } = await jwtVerify(token, this.#keys.get, {
        algorithms: ['RS256'],
        issuer: `${authorityHost}/${tenantId}/v2.0`,
        audience: clientId,
        clockTolerance: CLOCK_SKEW_SECONDS,
        maxTokenAge: tokenMaxAgeHours * 3600,
        requiredClaims: ['exp', 'nbf', 'iat'],
      })
      return payload
    } catch (error) {
      throw error instanceof errors.JOSEError ? refusalOf(error) : error
    }
  }
}

function accepted<Claims extends z.ZodObject>(wanted: Claims, claims: JWTPayload): z.infer<Claims> {
  const parsed = wanted.safeParse(claims)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const claim = String(issue?.path[0])
  throw new TokenRefused(claim, `The access token's ${claim} ${issue?.message}.`)
}

function refusalOf(error: errors.JOSEError): TokenRefused {
  if (error instanceof errors.JWTExpired) {
    return error.claim === 'iat'
      ? new TokenRefused('too_old', 'The access token was issued too long ago. Sign in again.')
      : new TokenRefused('expired', 'The access token has expired.')
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new TokenRefused(error.claim, `The access token's ${error.claim} is not acceptable.`)
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new TokenRefused('alg', 'The access token is not signed with RS256.')
  if (error instanceof errors.JWKSNoMatchingKey)
    return new TokenRefused('kid', "The access token's signing key is unknown.")
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new TokenRefused('signature', "The access token's signature is wrong.")
  }
  return new TokenRefused('malformed', 'The access token is malformed.')
}
