import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** How the server proves to Entra that it is the API app when it exchanges a token. */
export type Credential =
  | { kind: 'managed-identity'; clientId: string }
  | { kind: 'certificate'; thumbprintSha256: string; privateKey: string; certificate: string }
  | { kind: 'secret'; secret: string }

/** What the environment lacks or has wrong, one line per variable. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
}

type Variables = Readonly<{
  AZURE_CLIENT_ID?: string | undefined
  ENTRA_CLIENT_CERTIFICATE_PATH?: string | undefined
  ENTRA_CLIENT_SECRET?: string | undefined
  IDENTITY_ENDPOINT?: string | undefined
}>

/** Exactly one credential, and never a secret where a managed identity is. Throws ConfigurationError. */
export function credentialOf(env: Variables): Credential {
  const { AZURE_CLIENT_ID, ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET } = env
  if (ENTRA_CLIENT_SECRET && (AZURE_CLIENT_ID || env.IDENTITY_ENDPOINT)) {
    throw new ConfigurationError(
      'ENTRA_CLIENT_SECRET is refused where a managed identity is present: production has no secret. Remove it and set AZURE_CLIENT_ID.',
    )
  }
  const given = [AZURE_CLIENT_ID, ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET].filter(
    (value) => value !== undefined,
  )
  if (given.length !== 1) {
    throw new ConfigurationError(
      `${given.length} credentials are set: set exactly one of AZURE_CLIENT_ID (managed identity), ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET.`,
    )
  }
  if (AZURE_CLIENT_ID) return { kind: 'managed-identity', clientId: AZURE_CLIENT_ID }
  if (ENTRA_CLIENT_SECRET) return { kind: 'secret', secret: ENTRA_CLIENT_SECRET }
  return certificateAt(ENTRA_CLIENT_CERTIFICATE_PATH ?? '')
}

function certificateAt(path: string): Credential {
  try {
    const pem = readFileSync(path, 'utf8')
    const certificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(pem)?.[0] ?? ''
    const privateKey = /-----BEGIN (?:RSA )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA )?PRIVATE KEY-----/.exec(
      pem,
    )?.[0]
    if (!privateKey) throw new Error('no private key')
    const thumbprintSha256 = new X509Certificate(certificate).fingerprint256.replaceAll(':', '')
    return { kind: 'certificate', thumbprintSha256, privateKey, certificate }
  } catch {
    throw new ConfigurationError(
      'ENTRA_CLIENT_CERTIFICATE_PATH is wrong: it should be the path of a readable PEM file with a certificate and its unencrypted private key.',
    )
  }
}
