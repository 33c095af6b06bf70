import { STATUS_CODES } from 'node:http'
import { ApiRefusal } from '../api.ts'

/** Where Cosmos does not use the name that HTTP gives a status. */
const NAMES: Readonly<Record<number, string>> = { 413: 'RequestEntityTooLarge', 449: 'RetryWith' }

/** An answer other than success. */
export class Refusal extends ApiRefusal {
  constructor(status: number, message: string, headers?: Record<string, string>) {
    super(status, NAMES[status] ?? STATUS_CODES[status]?.replaceAll(' ', '') ?? '', message, headers)
  }
}

export const notFound = () => new Refusal(404, 'Resource Not Found. The specified resource does not exist.')

/** What the emulator does not speak is refused, so that nobody mistakes silence for support. */
export const unsupported = (what: string) => new Refusal(400, `The emulator does not support ${what}.`)
