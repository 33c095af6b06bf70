import type { Response } from 'express'
import { ApiRefusal } from '../api.ts'

// Refusals of Azure Resource Manager or of a provider behind it, `{ error: { code, message } }`. Codes as documented or
// reported where the refusal is made; the sentences are nobody's promise.

export const badRequest = (message: string) => new ApiRefusal(400, 'BadRequest', message)

/** Documentation, "Authenticate requests": the challenge names where a token comes from. */
export const unauthorized = (code: string, message: string) =>
  new ApiRefusal(401, code, message, {
    'www-authenticate': `Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token", error_description="${message}"`,
  })

/** Code and message as in cloudquery/cloudquery#9860. */
export const tooMany = (headers: Record<string, string>) =>
  new ApiRefusal(429, '429', 'Too many requests. Please retry.', headers)

export const outage = (status: number) =>
  status === 429 ? tooMany({}) : new ApiRefusal(status, String(status), 'The service failed.')

export function sendArmError(response: Response, { status, code, message, headers }: ApiRefusal): void {
  response.status(status).set(headers).json({ error: { code, message } })
}
