/** The part of GitHub's REST API that the action uses, on loopback. What its documentation is silent about is refused. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { z } from 'zod'

export interface Comment {
  id: number
  body: string
  user: { login: string }
}
/** Of a token; `none`: one whose job has no rights at all. */
export type Rights = 'write' | 'read' | 'none'
interface Answer {
  status: number
  json?: unknown
  text?: string
}

const Address = z.object({ port: z.number() })
const Body = z.strictObject({ body: z.string() })
const Page = z.strictObject({
  per_page: z.coerce.number().int().min(1).max(100).default(30),
  page: z.coerce.number().int().min(1).default(1),
})
const Ref = z.strictObject({ ref: z.string().regex(/^[0-9a-f]{40}$/) })
const LONGEST = 65_536
const COMMENTS = 'issues/7/comments'
const refused = (status: number, message: string): Answer => ({ status, json: { message } })
const FORBIDDEN = refused(403, 'Resource not accessible by integration')

/** `tokens`: rights by token. Comments written by a token are of `github-actions[bot]`. */
export async function startGitHub(repository: string, tokens: Record<string, Rights>) {
  const comments: Comment[] = []
  /** By commit and path. */
  const files = new Map<string, string>()
  const calls: string[] = []

  /** https://docs.github.com/rest/issues/comments */
  function written(body: string, comment?: Comment): Answer {
    const parsed = Body.safeParse(JSON.parse(body))
    if (!parsed.success || parsed.data.body.trim() === '') return refused(422, 'Validation Failed')
    if (parsed.data.body.length > LONGEST)
      return refused(422, `Body is too long (maximum is ${LONGEST} characters)`)
    if (comment) {
      comment.body = parsed.data.body
      return { status: 200, json: comment }
    }
    const made = { id: comments.length + 1, body: parsed.data.body, user: { login: 'github-actions[bot]' } }
    comments.push(made)
    return { status: 201, json: made }
  }

  // "Issue comments are ordered by ascending ID."
  function listed(query: URLSearchParams): Answer {
    const { per_page: size, page } = Page.parse(Object.fromEntries(query))
    return { status: 200, json: comments.slice((page - 1) * size, page * size) }
  }

  // https://docs.github.com/rest/repos/contents: "raw" is the file itself; what is not there is 404.
  function content(path: string, query: URLSearchParams, accept: string | undefined): Answer {
    const { ref } = Ref.parse(Object.fromEntries(query))
    if (accept !== 'application/vnd.github.raw+json') return refused(415, 'Unsupported here')
    const text = files.get(`${ref} ${path}`)
    return text === undefined ? refused(404, 'Not Found') : { status: 200, text }
  }

  /** https://docs.github.com/rest/using-the-rest-api: headers that every request has. */
  function refusalOf({ headers }: IncomingMessage): Answer | undefined {
    if (!headers['user-agent']) return refused(403, 'Request forbidden by administrative rules.')
    if (headers['x-github-api-version'] !== '2022-11-28') return refused(400, 'Unsupported API version')
    if (!/^application\/vnd\.github(\.raw)?\+json$/.test(headers.accept ?? '')) return refused(415, 'accept')
    const [, token = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? []
    return token in tokens ? undefined : refused(401, 'Bad credentials')
  }

  function read(path: string, { searchParams }: URL, accept: string | undefined): Answer {
    const [, file] = /^contents\/(.+)$/.exec(path) ?? []
    if (file) return content(decodeURIComponent(file), searchParams, accept)
    return path === COMMENTS ? listed(searchParams) : refused(404, 'Not Found')
  }

  function change(method: string, path: string, body: string): Answer {
    if (method === 'POST' && path === COMMENTS) return written(body)
    const comment = comments.find(({ id }) => path === `issues/comments/${id}`)
    return method === 'PATCH' && comment ? written(body, comment) : refused(404, 'Not Found')
  }

  function answer(request: IncomingMessage, body: string): Answer {
    const refusal = refusalOf(request)
    if (refusal) return refusal
    const rights = tokens[String(request.headers.authorization).slice('Bearer '.length)]
    const url = new URL(request.url ?? '', 'http://github')
    const [, path = ''] = url.pathname.split(`/repos/${repository}/`)
    if (rights === 'none') return FORBIDDEN
    if (request.method === 'GET') return read(path, url, request.headers.accept)
    return rights === 'write' ? change(String(request.method), path, body) : FORBIDDEN
  }

  const server = createServer(async (request, response) => {
    const body = await new Response(request).text()
    const { status, json, text } = answer(request, body)
    calls.push(`${request.method} ${request.url?.split('?')[0]} ${status}`)
    response.writeHead(status).end(text ?? JSON.stringify(json))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = Address.parse(server.address())
  return {
    url: `http://127.0.0.1:${port}`,
    ...{ comments, files, calls },
    reset: () => {
      comments.length = 0
      calls.length = 0
      files.clear()
    },
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((done) => server.close(() => done()))
    },
  }
}
export type GitHub = Awaited<ReturnType<typeof startGitHub>>
