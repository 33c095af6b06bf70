import { z } from 'zod'

const Refusal = z.object({
  error: z.object({
    message: z.string(),
    innerError: z.object({ 'client-request-id': z.string(), date: z.string() }).partial().default({}),
  }),
})
const Page = z.looseObject({ value: z.array(z.looseObject({})), '@odata.nextLink': z.string().optional() })

const CODES: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  429: 'TooManyRequests',
}

/** What a deployment fails with: Graph's message, the resource it is about, and the id that support asks for. */
export class DeploymentError extends Error {
  override name = 'DeploymentError'
  readonly code: string
  /** `/resources/api` */
  readonly target: string

  constructor(code: string, target: string, message: string) {
    super(message)
    this.code = code
    this.target = target
  }
}

/** What a fresh object that is not replicated yet is answered with. */
const NOT_YET = /does not exist|does not reference a valid application object|Not a valid reference update/

/** What a repeated creation is answered with when the first one was done after all. */
const THERE = /object references already exist|already exists on the object|Permission entry already exists/

/** How often one call is made before the deployment gives up; between calls nobody waits. */
const ATTEMPTS = 12

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'
export type GraphObject = z.infer<typeof Page>['value'][number]

/** As the extension calls Graph: retries what passes by itself, and names the resource in its errors. */
export class DeployingClient {
  readonly #url: string
  readonly #token: string

  constructor(graphUrl: string, token: string) {
    this.#url = `${graphUrl}/v1.0`
    this.#token = token
  }

  /**
   * The answer's body; empty for 204, and where only the answer of a first attempt was lost. `isNew` tells a 201.
   */
  async call(
    target: string,
    method: Method,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ) {
    for (let attempt = 1; ; attempt += 1) {
      const { status, text } = await this.#send(method, path, body, headers)
      const json: unknown = text === '' ? {} : JSON.parse(text)
      if (status < 400) return { isNew: status === 201, object: z.looseObject({}).parse(json) }
      if (attempt > 1 && THERE.test(text)) return { isNew: false, object: {} }
      const passes = status === 429 || status >= 500 || NOT_YET.test(text)
      if (!passes || attempt === ATTEMPTS) throw errorOf(target, status, json)
    }
  }

  async #send(method: Method, path: string, body: object | undefined, headers: Record<string, string>) {
    const answer = await fetch(path.startsWith('http') ? path : this.#url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: answer.status, text: await answer.text() }
  }

  async get(target: string, path: string): Promise<GraphObject> {
    return (await this.call(target, 'GET', path)).object
  }

  async list(target: string, path: string): Promise<GraphObject[]> {
    const found: GraphObject[] = []
    for (let next: string | undefined = path; next !== undefined; ) {
      const page: z.infer<typeof Page> = Page.parse(await this.get(target, next))
      found.push(...page.value)
      next = page['@odata.nextLink']
    }
    return found
  }
}

function errorOf(target: string, status: number, body: unknown): DeploymentError {
  const { error } = Refusal.parse(body)
  const { 'client-request-id': id, date } = error.innerError
  return new DeploymentError(
    CODES[status] ?? 'InternalServerError',
    target,
    `${error.message.replace(/\.?$/, '.')} Graph client request id: ${id}. Graph request timestamp: ${date}Z.`,
  )
}
