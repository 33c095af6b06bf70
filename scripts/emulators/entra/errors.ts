import { randomUUID } from 'node:crypto'

type Details = { status?: number; suberror?: string; claims?: string }

/** A refusal of Entra: the AADSTS number is what people search for, the OAuth code what clients act on. */
export class EntraError extends Error {
  override name = 'EntraError'
  readonly code: number
  readonly error: string
  readonly details: Details

  constructor(code: number, error: string, message: string, details: Details = {}) {
    super(message)
    this.code = code
    this.error = error
    this.details = details
  }
}

export const invalidRequest = (code: number, message: string) =>
  new EntraError(code, 'invalid_request', message)
export const invalidGrant = (code: number, message: string) => new EntraError(code, 'invalid_grant', message)
export const invalidClient = (code: number, message: string) =>
  new EntraError(code, 'invalid_client', message, { status: 401 })

/** How the texts about unknown apps and resources go on. */
export const NOT_INSTALLED =
  'This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.'

/** Seconds precision and a space, not ISO 8601: so Entra prints it. */
const timestampOf = (now: number) => `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`

/** The JSON body of the token endpoint; the authorize endpoint sends the first two fields. */
export function errorBody(refusal: EntraError, now: number, correlationId: string = randomUUID()) {
  const { code, error, message, details } = refusal
  const traceId = randomUUID()
  const timestamp = timestampOf(now)
  const trail = `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`
  return {
    error,
    error_description: `AADSTS${code}: ${message}\r\n${trail}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    // Microsoft's own page, which explains the code to whoever reads the body.
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    ...(details.suberror === undefined ? {} : { suberror: details.suberror }),
    ...(details.claims === undefined ? {} : { claims: details.claims }),
  }
}
