import type { Response } from 'express'
import { ApiRefusal } from '../api.ts'

// Source: "HTTP status codes (Azure AI Search)" of the REST reference; of a 401 and 403 it names no body.
const withoutBody = (status: number) => new ApiRefusal(status, '', '')
export const unauthorized = () => withoutBody(401)
export const forbidden = () => withoutBody(403)
export const noSuchPath = () => withoutBody(404)
export const badRequest = (message: string, code = 'InvalidRequestParameter') =>
  new ApiRefusal(400, code, message)
export const noSuchIndex = (name: string) =>
  new ApiRefusal(404, 'ResourceNotFound', `No index with the name '${name}' was found in the service.`)
export const outage = (status: number) => new ApiRefusal(status, '', 'The service failed.')

/** In OData's shape of an error. */
export function sendRefusal(response: Response, { status, code, message }: ApiRefusal): void {
  response.status(status)
  if (message === '') response.end()
  else response.json({ error: { code, message } })
}
