import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'
import type { KeyCredential } from '../scripts/emulators/directory-objects.ts'

const DAY = 24 * 60 * 60_000
const base64url = (fingerprint: string) =>
  Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')

/** A certificate of its own for each run, valid from yesterday: no private key lies in the repository. */
export async function selfSigned(validDays = 90) {
  const validity = {
    notBeforeDate: new Date(Date.now() - DAY),
    notAfterDate: new Date(Date.now() + validDays * DAY),
  }
  const made = await generate([{ name: 'commonName', value: 'test' }], { keySize: 2048, ...validity })
  const certificate = new X509Certificate(made.cert)
  const credential: KeyCredential = {
    keyId: randomUUID(),
    displayName: 'test',
    type: 'AsymmetricX509Cert',
    usage: 'Verify',
    key: certificate.raw.toString('base64'),
    startDateTime: validity.notBeforeDate.toISOString(),
    endDateTime: validity.notAfterDate.toISOString(),
  }
  return {
    /** As an application in the directory holds it. */
    credential,
    /** As MSAL's `clientCertificate` takes it. */
    forMsal: {
      thumbprintSha256: certificate.fingerprint256.replaceAll(':', ''),
      privateKey: made.private,
      x5c: certificate.toString(),
    },
    privateKey: createPrivateKey(made.private),
    thumbprintSha256: base64url(certificate.fingerprint256),
    thumbprintSha1: base64url(certificate.fingerprint),
  }
}
