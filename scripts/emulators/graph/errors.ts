import { randomUUID } from 'node:crypto'
import type { Request, Response } from 'express'
import { ApiRefusal } from '../api.ts'

interface Detail {
  code: string
  message: string
  target: string
}

/** A refusal of Microsoft Graph: clients act on status and code; of some there is nothing but the message. */
export class GraphError extends ApiRefusal {
  override name = 'GraphError'
  readonly details: Detail[] | undefined

  constructor(status: number, code: string, message: string, details?: Detail[]) {
    super(status, code, message)
    this.details = details
  }

  /** With what it is about: a property. */
  about(target: string, code = this.code): GraphError {
    const { status, message } = this
    return new GraphError(status, this.code, message, [{ code, message, target }])
  }
}

/** A refusal as one reads it: status, code, message. */
export function refuse(text: TemplateStringsArray, ...values: (string | number)[]): GraphError {
  const [, status, code = '', message = ''] =
    /^(\d{3}) (\w+): (.*)$/s.exec(String.raw({ raw: text }, ...values)) ?? []
  return new GraphError(Number(status), code, message)
}

export const badRequest = (message: string) => new GraphError(400, 'BadRequest', message)
export const requestError = (message: string) => new GraphError(400, 'Request_BadRequest', message)
export const unsupportedQuery = (message: string) => new GraphError(400, 'Request_UnsupportedQuery', message)
export const invalidToken = (message: string) => new GraphError(401, 'InvalidAuthenticationToken', message)
export const denied = () =>
  refuse`403 Authorization_RequestDenied: Insufficient privileges to complete the operation.`
export const notFound = (key: string) =>
  refuse`404 Request_ResourceNotFound: Resource '${key}' does not exist or one of its queried reference-property objects are not present.`
export const unknownSegment = (segment: string) =>
  refuse`400 BadRequest: Resource not found for the segment '${segment}'.`
/** A value that another object of the directory has, the recycle bin included. */
export const takenValue = (property: string) =>
  refuse`400 Request_BadRequest: Another object with the same value for property ${property} already exists.`.about(
    property,
    'ObjectConflict',
  )
export const sameKey = (message: string) =>
  new GraphError(409, 'Request_MultipleObjectsWithSameKeyValue', message)
export const duplicateValues = () =>
  refuse`400 DuplicateValue: Request contains a property with duplicate values.`
export const concurrencyViolation = () =>
  refuse`409 Directory_ConcurrencyViolation: Unable to perform the operation because another operation on the same object is in progress. Retry the request.`
export const passwordsRefused = () =>
  refuse`400 CredentialTypeNotAllowedAsPerAppPolicy: Credential type not allowed as per assigned policy 'Default app management policy'.`
export const passwordLifeRefused = () =>
  refuse`400 CredentialInvalidLifetimeAsPerAppPolicy: Credential lifetime exceeds the max value allowed as per assigned policy 'Default app management policy'.`
export function outage(status: number): GraphError {
  if (status === 429) return refuse`429 TooManyRequests: Too many requests.`
  const code = status === 503 ? 'ServiceUnavailable' : 'InternalServerError'
  return new GraphError(status, code, 'The service failed.')
}

/** Every answer of Graph names itself: support asks for this id first. */
export function nameRequest(request: Request, response: Response): void {
  const clientRequestId = request.get('client-request-id') ?? randomUUID()
  response.set({ 'request-id': randomUUID(), 'client-request-id': clientRequestId })
}

export function sendGraphError(response: Response, refusal: ApiRefusal, now: number): void {
  const { status, code, message } = refusal
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
  response.status(status).json({
    error: {
      code,
      message,
      ...(refusal instanceof GraphError && { details: refusal.details }),
      innerError,
    },
  })
}
