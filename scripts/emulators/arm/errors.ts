import type { Response } from 'express'

/**
 * A refusal of Azure Resource Manager or of a provider behind it, `{ error: { code, message } }`. Codes as documented
 * or reported where the refusal is made; the sentences are nobody's promise.
 */
export class ArmError extends Error {
  override name = 'ArmError'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

export const badRequest = (message: string) => new ArmError(400, 'BadRequest', message)

/** Documentation, "Authenticate requests": the challenge names where a token comes from. */
export const unauthorized = (code: string, message: string) =>
  new ArmError(401, code, message, {
    'www-authenticate': `Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token", error_description="${message}"`,
  })

/** Code and message as in cloudquery/cloudquery#9860. */
export const tooMany = (headers: Record<string, string>) =>
  new ArmError(429, '429', 'Too many requests. Please retry.', headers)

export const outage = (status: number) =>
  status === 429 ? tooMany({}) : new ArmError(status, String(status), 'The service failed.')

export function sendArmError(response: Response, { status, code, message, headers }: ArmError): void {
  response.status(status).set(headers).json({ error: { code, message } })
}
