import { randomBytes, randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Response } from 'express'
import { Account, type Answer } from './cosmos/account.ts'
import { Refusal } from './cosmos/refusal.ts'
import { type CosmosRequest, readRequest, unreadable } from './cosmos/request.ts'
import { provide } from './cosmos/resources.ts'
import { verifySignature } from './cosmos/signature.ts'
import { Storage } from './cosmos/storage.ts'
import { listenOnLoopback } from './loopback.ts'

interface CosmosOptions {
  /** 0 = any free port. */
  port: number
  /** An SQLite file, created when it is not there, or `:memory:`. */
  file: string
  database: string
  /** Created, partitioned by `/user_id`, when it is not there. */
  container: string
  /** Base64; a new one when left out. */
  key?: string
  /** Most documents in one page of a query, to make pages short. */
  pageSize?: number
  /** Tests take hold of a request here; without an answer the connection is left as it is. */
  intervene?: (request: CosmosRequest, response: Response, carryOut: () => Answer) => Answer | undefined
}

export type Cosmos = Awaited<ReturnType<typeof startCosmos>>

/**
 * An emulator of Azure Cosmos DB: the part of its REST protocol that @azure/cosmos speaks for the
 * expense store, on loopback. Stricter than the service where that guards isolation: a query for
 * one partition key value has to carry the partition key header.
 *
 * @throws Error when the port is busy, naming COSMOS_PORT
 */
export const startCosmos = async (options: CosmosOptions) => {
  const { file, database, container, pageSize, key = randomBytes(64).toString('base64') } = options
  const { intervene = (_request, _response, carryOut) => carryOut() } = options
  const storage = new Storage(file)
  let url = ''
  try {
    const account = new Account(storage, pageSize)
    provide(storage, database, container, '/user_id')
    const listener = gateway({ account, key, url: () => url, intervene })
    const server = await listenOnLoopback(listener, options.port, 'COSMOS_PORT')
    url = `http://localhost:${server.port}`
    const close = () => server.close().then(() => storage.close())
    return { url, key, account, close }
  } catch (error) {
    storage.close()
    throw error
  }
}

interface Gateway {
  account: Account
  key: string
  /** The address that the account advertises; known once the port is. */
  url: () => string
  intervene: NonNullable<CosmosOptions['intervene']>
}

/** The HTTP side: signature, answer. Our own failures are a 500 and are told on stderr. */
const gateway = ({ account, key, url, intervene }: Gateway) => {
  const app = express().disable('x-powered-by').disable('etag')
  app.use((_message, response, next) => {
    response.set({ 'x-ms-activity-id': randomUUID(), 'x-ms-request-charge': '1' })
    next()
  })
  // The documented limit of a request body; whatever the SDK calls its type, it is JSON.
  app.use(express.json({ limit: '2mb', strict: false, type: () => true }))
  app.use((message, response) => {
    const request = readRequest(message)
    verifySignature(key, request.signed)
    const answer = intervene(request, response, () => account.answer(request, url()))
    if (answer) send(response, answer)
  })
  app.use(asRefusal)
  return app
}

const asRefusal: ErrorRequestHandler = (error: unknown, _message, response, _next) => {
  // Who hung up while sending gets no answer, and it is nobody's failure.
  if (response.destroyed) return
  const refusal = error instanceof Refusal ? error : unreadable(error)
  if (!refusal) console.error(error)
  const { status, headers } = refusal ?? { status: 500, headers: {} }
  const body = (refusal ?? new Refusal(500, 'The emulator failed.')).body(response.get('x-ms-activity-id'))
  send(response, { status, headers, body })
}

const send = (response: Response, { status, body, headers = {} }: Answer) => {
  response.status(status).set(headers)
  if (body === undefined) response.end()
  else response.json(body)
}
