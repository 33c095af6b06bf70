/** A refusal of Azure AI Search. Without a message the answer has no body. */
export class SearchRefusal extends Error {
  override name = 'SearchRefusal'
  readonly status: number
  readonly code: string

  constructor(status: number, code = '', message = '') {
    super(message)
    this.status = status
    this.code = code
  }

  /** OData's shape of an error; undefined: none. */
  body(): object | undefined {
    return this.message ? { error: { code: this.code, message: this.message } } : undefined
  }
}

// Source: "HTTP status codes (Azure AI Search)" of the REST reference; of a 401 and 403 it names no body.
export const unauthorized = () => new SearchRefusal(401)
export const forbidden = () => new SearchRefusal(403)
export const badRequest = (message: string, code = 'InvalidRequestParameter') =>
  new SearchRefusal(400, code, message)
export const noSuchIndex = (name: string) =>
  new SearchRefusal(404, 'ResourceNotFound', `No index with the name '${name}' was found in the service.`)
