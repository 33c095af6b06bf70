import { randomBytes, randomUUID } from 'node:crypto'
import express, { type Response } from 'express'
import { asRefusal } from './api.ts'
import { Account, type Answer } from './cosmos/account.ts'
import { Refusal } from './cosmos/refusal.ts'
import { type CosmosRequest, readRequest } from './cosmos/request.ts'
import { Storage } from './cosmos/storage.ts'
import { listenOnLoopback } from './loopback.ts'

interface CosmosOptions {
  /** 0 = any free port. */
  port: number
  /** An SQLite file, created when it is not there, or `:memory:`. */
  file: string
  database: string
  /** Partitioned by `/user_id`. */
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
  const { key = randomBytes(64).toString('base64') } = options
  const { intervene = (_request, _response, carryOut) => carryOut() } = options
  const app = express().disable('x-powered-by').disable('etag')
  const server = await listenOnLoopback(app, options.port, 'COSMOS_PORT')
  try {
    const url = `http://localhost:${server.port}`
    const storage = new Storage(options.file)
    const account = new Account(storage, url, options)
    app.use((_message, response, next) => {
      response.set({ 'x-ms-activity-id': randomUUID(), 'x-ms-request-charge': '1' })
      next()
    })
    // The documented limit of a request body; whatever the SDK calls its type, it is JSON.
    app.use(express.json({ limit: '2mb', strict: false, type: () => true }))
    app.use((message, response) => {
      const request = readRequest(message, key)
      const answer = intervene(request, response, () => account.answer(request))
      if (!answer) return
      response.status(answer.status).set(answer.headers ?? {})
      if (answer.body === undefined) response.end()
      else response.json(answer.body)
    })
    app.use(asRefusal({ send: sendRefusal, outage, unreadable }))
    const close = () => server.close().then(() => storage.close())
    return { url, key, account, close }
  } catch (error) {
    await server.close()
    throw error
  }
}

const outage = (status: number) => new Refusal(status, 'The emulator failed.')

const unreadable = (status: number) =>
  status === 413
    ? new Refusal(status, 'Request size is too large.')
    : new Refusal(400, 'The request payload is invalid. Ensure to provide a valid request payload.')

/** With the body `{code, message}` that Cosmos sends. */
function sendRefusal(response: Response, { status, headers, code, message }: Refusal): void {
  const body = { code, message: `${message}\r\nActivityId: ${response.get('x-ms-activity-id')}` }
  response.status(status).set(headers).json(body)
}
