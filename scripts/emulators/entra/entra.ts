import { createLocalJWKSet, type JWK, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Directory } from '../directory.ts'
import type { Interventions } from '../interventions.ts'
import type { KeyRing } from './keys.ts'
import * as refusals from './refusals.ts'
import type { DeviceCode, PendingSignIn, Session, Tickets } from './session.ts'

/** Request parameters, each once: RFC 6749 forbids repetition and Entra refuses it. */
export type Parameters = Readonly<Record<string, string | undefined>>

const Raw = z.record(z.string(), z.union([z.string(), z.array(z.string())])).catch({})

/** From a parsed query or form body. An empty value counts as absent. */
export function parametersOf(raw: unknown): Parameters {
  const entries = Object.entries(Raw.parse(raw ?? {}))
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      if (typeof value !== 'string') throw refusals.request.duplicated({ name })
      return value === '' ? [] : [[name, value]]
    }),
  )
}

export function required(parameters: Parameters, name: string): string {
  const value = parameters[name]
  if (value === undefined) throw refusals.request.missing({ name })
  return value
}

/** What every endpoint of the emulator works with. */
export interface Entra {
  /** Origin under which the emulator is reached; takes the place of https://login.microsoftonline.com. */
  readonly url: string
  readonly tenantId: string
  readonly directory: Directory
  readonly keys: KeyRing
  readonly interventions: Interventions
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly identityHeader: string
  /** What a person is good for on the sign-in page, by object id; everybody else stands first there. */
  readonly moreToTry: ReadonlyMap<string, string>
  readonly pending: Tickets<PendingSignIn>
  readonly codes: Tickets<Session>
  readonly refreshTokens: Tickets<Session>
  readonly deviceCodes: Tickets<DeviceCode>
}

/** Seconds by which a client's clock may differ when it dates its own assertion. */
export const CLOCK_SKEW = 300

/** Where Entra really lives: assertions and federated credentials written for it are understood here too. */
const REAL_HOST = 'https://login.microsoftonline.com'

export const issuerV2 = ({ url, tenantId }: Pick<Entra, 'url' | 'tenantId'>) => `${url}/${tenantId}/v2.0`
/** In Entra https://sts.windows.net/<tid>/, with the slash. */
export const issuerV1 = ({ url, tenantId }: Pick<Entra, 'url' | 'tenantId'>) => `${url}/${tenantId}/`

export const isOwnIssuer = (entra: Entra, issuer: string) =>
  issuer === issuerV2(entra) || issuer === `${REAL_HOST}/${entra.tenantId}/v2.0`

export const tokenEndpoints = ({ url, tenantId }: Entra) =>
  [url, REAL_HOST].map((host) => `${host}/${tenantId}/oauth2/v2.0/token`)

/** The claims of a token that this tenant, or who has `keys`, signed and that is in time. Throws an error of jose. */
export async function verifiedClaims(
  entra: Entra,
  token: string,
  checks: JWTVerifyOptions,
  keys: JWK[] = entra.keys.published,
): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, createLocalJWKSet({ keys }), {
    algorithms: ['RS256'],
    currentDate: new Date(entra.now()),
    requiredClaims: ['exp'],
    ...checks,
  })
  return payload
}
