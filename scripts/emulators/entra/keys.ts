import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export type SigningKey = Awaited<ReturnType<typeof makeSigningKey>>

export async function makeSigningKey() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = crypto.randomUUID().replaceAll('-', '')
  // Entra's key documents carry no `alg`: whoever verifies must know that RS256 is the only one.
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), use: 'sig', kid } }
}

export type KeyRing = Awaited<ReturnType<typeof makeKeyRing>>

/** The tenant's RS256 keys. `issued` is told what each token says; it does not get the token. */
export async function makeKeyRing(issued: (claims: JWTPayload) => void = () => undefined) {
  const keys: [SigningKey, ...SigningKey[]] = [await makeSigningKey()]
  return {
    /** The first one signs, all are published. Tests change them. */
    keys,
    get published(): JWK[] {
      return keys.map(({ publicJwk }) => publicJwk)
    },
    /** Adds nothing to the claims, so that a token can lack whatever a test wants it to lack. */
    sign(claims: JWTPayload): Promise<string> {
      const [{ kid, privateKey }] = keys
      issued(claims)
      return new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid }).sign(privateKey)
    },
  }
}
