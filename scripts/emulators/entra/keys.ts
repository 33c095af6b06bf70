import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'

type SigningKey = { kid: string; privateKey: CryptoKey; publicJwk: JWK }

/** For crafted tokens: other header fields, or another key (a secret for HS256, a foreign private key). */
export type SignOptions = { header?: Partial<JWTHeaderParameters>; key?: CryptoKey | Uint8Array }

async function makeKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = crypto.randomUUID().replaceAll('-', '')
  // Entra's key documents carry no `alg`: whoever verifies must know that RS256 is the only one.
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), use: 'sig', kid } }
}

/** The tenant's RS256 keys: one signs, all are published. */
export class KeyRing {
  #keys: [SigningKey, ...SigningKey[]]
  readonly #issued

  private constructor(first: SigningKey, issued: (claims: JWTPayload) => void) {
    this.#keys = [first]
    this.#issued = issued
  }

  /** `issued` is told what each token says; it does not get the token. */
  static async create(issued: (claims: JWTPayload) => void = () => undefined): Promise<KeyRing> {
    return new KeyRing(await makeKey(), issued)
  }

  /** Signs with a new key from now on. Entra goes on publishing the old ones for a while; `retire` does not. */
  async rotate({ retire = false } = {}): Promise<void> {
    const fresh = await makeKey()
    this.#keys = retire ? [fresh] : [fresh, ...this.#keys]
  }

  get current(): JWK {
    return this.#keys[0].publicJwk
  }

  get published(): JWK[] {
    return this.#keys.map(({ publicJwk }) => publicJwk)
  }

  /** Adds nothing to the claims, so that a token can lack whatever a test wants it to lack. */
  sign(claims: JWTPayload, { header, key }: SignOptions = {}): Promise<string> {
    const { kid, privateKey } = this.#keys[0]
    this.#issued(claims)
    return new SignJWT(claims)
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid, ...header })
      .sign(key ?? privateKey)
  }
}
