/** A refusal of Microsoft Graph, with everything that its support asks for. */
import { z } from 'zod'

const Body = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .catch({ error: { code: 'no code', message: 'no text' } })

export class DirectoryError extends Error {
  override name = 'DirectoryError'
  readonly status: number
  /** Graph's own code, like `Request_ResourceNotFound`. */
  readonly code: string
  readonly detail: string

  constructor(call: string, status: number, body: unknown, requestId: string | undefined | null) {
    const { code, message: detail } = Body.parse(body).error
    super(
      `Microsoft Graph refused ${call}: ${status} ${code}: ${detail} (request-id ${requestId ?? 'not given'})`,
    )
    this.status = status
    this.code = code
    this.detail = detail
  }

  /** Two writers at once: the same request succeeds a moment later. */
  get isConcurrent(): boolean {
    return this.status === 409 && /concurren/i.test(this.code + this.detail)
  }

  /** What we wanted to create is there, although a lagging list does not show it yet. */
  get isThere(): boolean {
    return (
      !this.isConcurrent &&
      (this.status === 409 || (this.status === 400 && /already exist/i.test(this.detail)))
    )
  }

  /** A fresh object that not every replica knows: 404, or a 400 that says so. */
  get isReplication(): boolean {
    const unknown = /does not exist|doesn't exist|not present|not found|could not be found|valid application/i
    return this.status === 404 || (this.status === 400 && unknown.test(this.detail))
  }
}

/** Whoever is signed in may not. */
export const isForbidden = (error: unknown): error is DirectoryError =>
  error instanceof DirectoryError && error.status === 403

/** undefined: whoever is signed in may not read it. */
export const ifAllowed = <T>(reading: Promise<T>): Promise<T | undefined> =>
  reading.catch((error: unknown) => {
    if (isForbidden(error)) return undefined
    throw error
  })

/** For a creation: a repeated request whose first answer was lost, or a list that lagged. The next reading decides. */
export function ignoreThere(error: unknown): void {
  if (!(error instanceof DirectoryError && error.isThere)) throw error
}
