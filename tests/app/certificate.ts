import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'

/** A certificate of its own for each run: no private key lies in the repository. */
export async function selfSigned() {
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: 'test' }], {
    keySize: 2048,
  })
  const thumbprintSha256 = new X509Certificate(cert).fingerprint256.replaceAll(':', '')
  return { certificate: cert.trim(), privateKey, thumbprintSha256 }
}
