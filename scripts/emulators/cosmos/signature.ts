import { createHmac, timingSafeEqual } from 'node:crypto'
import { Refusal } from './refusal.ts'

/** The parts of a request that its signature covers. */
export interface Signed {
  method: string
  /** `docs`, `colls` and so on; empty for the account. */
  resourceType: string
  /** The name-based link of the resource, or of the parent for a create or a query. */
  resourceLink: string
  date: string | undefined
  authorization: string | undefined
}

const validForMs = 15 * 60_000
const format = /^type=master&ver=1\.0&sig=([A-Za-z0-9+/]+={0,2})$/

/**
 * Checks a master-key signature, as documented under "Access control in the Azure Cosmos DB SQL API".
 *
 * @throws Refusal 401 when it is missing or wrong, 403 when its date is not within 15 minutes
 */
export const verifySignature = (key: string, request: Signed): void => {
  const { method, resourceType, resourceLink, date, authorization } = request
  if (authorization === undefined) throw new Refusal(401, 'Required Header authorization is missing.')
  if (date === undefined) throw new Refusal(401, 'Required Header x-ms-date is missing.')
  const given = format.exec(decode(authorization))?.[1]
  if (given === undefined) {
    throw new Refusal(401, "Authorization header doesn't conform to the required format type=master&ver=1.0.")
  }
  const text = `${method}\n${resourceType}\n`.toLowerCase()
  const payload = `${text}${resourceLink}\n${date.toLowerCase()}\n\n`
  const expected = createHmac('sha256', Buffer.from(key, 'base64')).update(payload).digest()
  if (!isEqual(Buffer.from(given, 'base64'), expected)) {
    throw new Refusal(
      401,
      "The input authorization token can't serve the request. The wrong key is being used.",
    )
  }
  if (!(Math.abs(Date.now() - Date.parse(date)) < validForMs)) {
    throw new Refusal(403, 'The authorization token is not valid at the current time.')
  }
}

const isEqual = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b)

const decode = (header: string) => {
  try {
    return decodeURIComponent(header)
  } catch {
    return ''
  }
}
