import { type CryptoKey, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { type KeyRing, makeSigningKey } from '../../../scripts/emulators/entra/keys.ts'
import * as emulators from '../../../scripts/emulators/tenant.ts'
import { Faults } from './faults.ts'
import { furtherGraph } from './graph/further-graph.ts'
import type { Write } from './graph/journal.ts'
import { ManagedDirectory } from './graph/managed-directory.ts'
import { Replication } from './graph/replication.ts'
import { QuotaKeeper } from './quota.ts'
import { type SignInRequest, signIn } from './sign-in-client.ts'

export type Tenant = Awaited<ReturnType<typeof startTenant>>

/** Other header fields, or another key: a secret for HS256, a foreign private key. */
type Crafted = { header?: Partial<JWTHeaderParameters>; key?: CryptoKey | Uint8Array }

function craft({ keys: [{ kid, privateKey }] }: KeyRing, claims: JWTPayload, { header, key }: Crafted) {
  const signed = new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid, ...header })
  return signed.sign(key ?? privateKey)
}

/**
 * The emulated tenant, with all that tests do to it and want to know of it. A managed directory is there to be deployed
 * to; else Microsoft Graph answers what it answers with `npm start`.
 */
export async function startTenant(
  options: Omit<Parameters<typeof emulators.startTenant>[0], 'interventions' | 'furtherGraph'>,
) {
  const faults = new Faults()
  const replication = new Replication(options.now ?? Date.now)
  const quota = new QuotaKeeper(options.now ?? Date.now)
  const journal: Write[] = []
  const issuers = new Map<string, JWK[]>()
  const { directory } = options
  const tenant = await emulators.startTenant({
    ...options,
    interventions: {
      meet: (...call) => faults.hit(...call),
      spend: (period) => quota.spend(period),
      keysOf: (issuer) => issuers.get(issuer),
    },
    ...(directory instanceof ManagedDirectory && {
      furtherGraph: furtherGraph({ directory, replication }, journal),
    }),
  })
  return {
    ...tenant,
    /** A new key signs from now on; `retire` also withdraws the old ones at once. */
    rotateKeys: async ({ retire = false } = {}) => {
      const { keys } = tenant.keys
      keys.splice(0, retire ? keys.length : 0, await makeSigningKey())
    },
    publicJwk: () => tenant.keys.keys[0].publicJwk,
    /** Signs exactly these claims, nothing added: for hostile tokens. */
    sign: (claims: JWTPayload, how?: Crafted) =>
      how ? craft(tenant.keys, claims, how) : tenant.sign(claims),
    /** From now on federated credentials may name this issuer, whose tokens are signed with these keys. */
    knowIssuer: (issuer: string, published: JWK[]) => void issuers.set(issuer, published),
    faults,
    counters: faults.counters,
    /** Of Azure Resource Manager. */
    quota,
    /** When new objects are seen, and how late lists are. */
    replication,
    /** Every write to Graph since the start or the last reset. */
    journal,
    /** Code + PKCE over HTTP with `login_hint`; throws a SignInError with the body of a refusal. */
    signIn: (request: SignInRequest) => signIn(tenant, request),
    tokenFor: async (request: SignInRequest) => (await signIn(tenant, request)).access_token,
    close: () => {
      faults.clear()
      return tenant.close()
    },
  }
}
