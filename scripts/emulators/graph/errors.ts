import { randomUUID } from 'node:crypto'
import type { Request, Response } from 'express'
import { ApiRefusal } from '../api.ts'

/** Clients act on status and code; of some refusals there is nothing but the message. */
type GraphRefusal = ApiRefusal & { details?: object[] }

/** A refusal as one reads it: status, code, message. */
export function refuse(text: TemplateStringsArray, ...values: (string | number)[]): ApiRefusal {
  const [, status, code = '', message = ''] =
    /^(\d{3}) (\w+): (.*)$/s.exec(String.raw({ raw: text }, ...values)) ?? []
  return new ApiRefusal(Number(status), code, message)
}

export const badRequest = (message: string) => new ApiRefusal(400, 'BadRequest', message)
export const unsupportedQuery = (message: string) => new ApiRefusal(400, 'Request_UnsupportedQuery', message)
export const invalidToken = (message: string) => new ApiRefusal(401, 'InvalidAuthenticationToken', message)
export const denied = () =>
  refuse`403 Authorization_RequestDenied: Insufficient privileges to complete the operation.`
export const unknownSegment = (segment: string) =>
  refuse`400 BadRequest: Resource not found for the segment '${segment}'.`
export function outage(status: number): ApiRefusal {
  if (status === 429) return refuse`429 TooManyRequests: Too many requests.`
  const code = status === 503 ? 'ServiceUnavailable' : 'InternalServerError'
  return new ApiRefusal(status, code, 'The service failed.')
}

/** Every answer of Graph names itself: support asks for this id first. */
export function nameRequest(request: Request, response: Response): void {
  const clientRequestId = request.get('client-request-id') ?? randomUUID()
  response.set({ 'request-id': randomUUID(), 'client-request-id': clientRequestId })
}

export function sendGraphError(response: Response, refusal: GraphRefusal, now: number): void {
  const { status, code, message, details } = refusal
  if (status === 401) {
    response.set(
      'WWW-Authenticate',
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"',
    )
  }
  const innerError = {
    date: new Date(now).toISOString().slice(0, 19),
    'request-id': response.get('request-id'),
    'client-request-id': response.get('client-request-id'),
  }
  response.status(status).json({ error: { code, message, details, innerError } })
}
