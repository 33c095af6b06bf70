import { type CryptoKey, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { type KeyRing, makeSigningKey } from '../../../scripts/emulators/entra/keys.ts'
import * as emulators from '../../../scripts/emulators/tenant.ts'
import { Faults } from './faults.ts'
import { keepJournal, noting, type Write } from './journal.ts'
import { QuotaKeeper } from './quota.ts'
import { Replication } from './replication.ts'
import { type SignInRequest, signIn } from './sign-in-client.ts'

export type Tenant = Awaited<ReturnType<typeof startTenant>>

/** Other header fields, or another key: a secret for HS256, a foreign private key. */
type Crafted = { header?: Partial<JWTHeaderParameters>; key?: CryptoKey | Uint8Array }

function craft({ keys: [{ kid, privateKey }] }: KeyRing, claims: JWTPayload, { header, key }: Crafted) {
  const signed = new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid, ...header })
  return signed.sign(key ?? privateKey)
}

/** The emulated tenant, with all that tests do to it and want to know of it. */
export async function startTenant(
  options: Omit<Parameters<typeof emulators.startTenant>[0], 'interventions'>,
) {
  const faults = new Faults()
  const replication = new Replication(options.now ?? Date.now)
  const quota = new QuotaKeeper(options.now ?? Date.now)
  const journal: Write[] = []
  const tenant = await emulators.startTenant({
    ...options,
    interventions: {
      meet: (...call) => faults.hit(...call),
      spend: (period) => quota.spend(period),
      watch: keepJournal(journal),
      around: (response, work) =>
        noting(response, options.directory, () => replication.around(options.directory, work)),
      replicas: replication,
    },
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
    knowIssuer: (issuer: string, published: JWK[]) => void tenant.otherIssuers.set(issuer, published),
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
