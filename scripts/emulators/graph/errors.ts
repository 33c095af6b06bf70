import { randomUUID } from 'node:crypto'
import type { Request, Response } from 'express'
import { noteStatus } from './journal.ts'

interface Detail {
  code: string
  message: string
  target: string
}

/** A refusal of Microsoft Graph: clients act on status and code; of some there is nothing but the message. */
export class GraphError extends Error {
  override name = 'GraphError'
  readonly status: number
  readonly code: string
  readonly details: Detail[] | undefined

  constructor(status: number, code: string, message: string, details?: Detail[]) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

export const badRequest = (message: string) => new GraphError(400, 'BadRequest', message)
export const requestError = (message: string) => new GraphError(400, 'Request_BadRequest', message)
export const unsupportedQuery = (message: string) => new GraphError(400, 'Request_UnsupportedQuery', message)
export const invalidToken = (message: string) => new GraphError(401, 'InvalidAuthenticationToken', message)
export const denied = () =>
  new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
export const notFound = (key: string) =>
  new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${key}' does not exist or one of its queried reference-property objects are not present.`,
  )
export const unknownSegment = (segment: string) =>
  badRequest(`Resource not found for the segment '${segment}'.`)
/** A value that another object of the directory has, the recycle bin included. */
export const takenValue = (property: string) => {
  const message = `Another object with the same value for property ${property} already exists.`
  return new GraphError(400, 'Request_BadRequest', message, [
    { code: 'ObjectConflict', message, target: property },
  ])
}
export const sameKey = (message: string) =>
  new GraphError(409, 'Request_MultipleObjectsWithSameKeyValue', message)
export const duplicateValues = () =>
  new GraphError(400, 'DuplicateValue', 'Request contains a property with duplicate values.')
export const concurrencyViolation = () =>
  new GraphError(
    409,
    'Directory_ConcurrencyViolation',
    'Unable to perform the operation because another operation on the same object is in progress. Retry the request.',
  )
export const passwordsRefused = () =>
  new GraphError(
    400,
    'CredentialTypeNotAllowedAsPerAppPolicy',
    "Credential type not allowed as per assigned policy 'Default app management policy'.",
  )
export const passwordLifeRefused = () =>
  new GraphError(
    400,
    'CredentialInvalidLifetimeAsPerAppPolicy',
    "Credential lifetime exceeds the max value allowed as per assigned policy 'Default app management policy'.",
  )
export const outage = (status: number) =>
  status === 429
    ? new GraphError(status, 'TooManyRequests', 'Too many requests.')
    : new GraphError(
        status,
        status === 503 ? 'ServiceUnavailable' : 'InternalServerError',
        'The service failed.',
      )

/** Every answer of Graph names itself: support asks for this id first. */
export function nameRequest(request: Request, response: Response): void {
  const clientRequestId = request.get('client-request-id') ?? randomUUID()
  response.set({ 'request-id': randomUUID(), 'client-request-id': clientRequestId })
}

export function sendGraphError(
  response: Response,
  { status, code, message, details }: GraphError,
  now: number,
): void {
  noteStatus(response, status)
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
  response.status(status).json({ error: { code, message, ...(details ? { details } : {}), innerError } })
}
