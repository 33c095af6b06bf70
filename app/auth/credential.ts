import { CertificateFault, CertificateFile } from './certificate-file.ts'

/** How the server proves to Entra that it is the API app when it exchanges a token. */
export type Credential =
  | { kind: 'managed-identity'; clientId: string }
  | { kind: 'certificate'; file: Pick<CertificateFile, 'current' | 'watch'> }
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

/**
 * Exactly one credential, and never a secret where a managed identity is. With a certificate AZURE_CLIENT_ID is the
 * identity for Azure's own services only. Throws ConfigurationError.
 */
export function credentialOf(env: Variables): Credential {
  const { AZURE_CLIENT_ID, ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET } = env
  if (ENTRA_CLIENT_SECRET && (AZURE_CLIENT_ID || env.IDENTITY_ENDPOINT)) {
    throw new ConfigurationError(
      'ENTRA_CLIENT_SECRET is refused where a managed identity is present: production has no secret. Remove it and set AZURE_CLIENT_ID.',
    )
  }
  const given = [ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET].filter((value) => value !== undefined)
  if (given.length > 1 || (given.length === 0 && !AZURE_CLIENT_ID)) {
    throw new ConfigurationError(
      `${given.length} credentials are set: set exactly one of AZURE_CLIENT_ID (managed identity), ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_CLIENT_SECRET; beside a certificate AZURE_CLIENT_ID is for Azure's own services.`,
    )
  }
  if (ENTRA_CLIENT_CERTIFICATE_PATH) return certificateAt(ENTRA_CLIENT_CERTIFICATE_PATH)
  if (ENTRA_CLIENT_SECRET) return { kind: 'secret', secret: ENTRA_CLIENT_SECRET }
  return { kind: 'managed-identity', clientId: AZURE_CLIENT_ID ?? '' }
}

function certificateAt(path: string): Credential {
  try {
    return { kind: 'certificate', file: new CertificateFile(path) }
  } catch (error) {
    if (!(error instanceof CertificateFault)) throw error
    throw new ConfigurationError(`ENTRA_CLIENT_CERTIFICATE_PATH is wrong: it ${error.message}`)
  }
}
