const names = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [408, 'RequestTimeout'],
  [409, 'Conflict'],
  [412, 'PreconditionFailed'],
  [413, 'RequestEntityTooLarge'],
  [429, 'TooManyRequests'],
  [449, 'RetryWith'],
  [503, 'ServiceUnavailable'],
])

/** An answer other than success, with the body `{code, message}` that Cosmos sends. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Record<string, string>
  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.headers = headers
  }

  body(activityId: string | undefined) {
    const code = names.get(this.status) ?? 'InternalServerError'
    return { code, message: `${this.message}\r\nActivityId: ${activityId}` }
  }
}

export const notFound = () => new Refusal(404, 'Resource Not Found. The specified resource does not exist.')

/** What the emulator does not speak is refused, so that nobody mistakes silence for support. */
export const unsupported = (what: string) => new Refusal(400, `The emulator does not support ${what}.`)
