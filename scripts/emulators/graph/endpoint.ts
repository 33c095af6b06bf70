import type { Request, RequestHandler } from 'express'
import type { Directory } from '../directory.ts'
import type { Entra } from '../entra/entra.ts'
import { type Caller, callerOf } from './access.ts'
import type { GraphSettings } from './query.ts'

/** What every endpoint of Graph works with. */
export interface Graph {
  readonly entra: Entra
  readonly directory: Directory
  /** Base URL, without a version. */
  readonly url: string
  readonly settings: GraphSettings
}

export interface Call extends Graph {
  readonly caller: Caller
  readonly request: Request
}

/** What is answered to whoever reads a path. */
export type Reads = Readonly<Record<string, (call: Call) => object>>

/** Authenticates, lets `read` work and sends what it found. */
export const endpoint =
  (graph: Graph, read: (call: Call) => object): RequestHandler =>
  async (request, response) => {
    const caller = await callerOf(graph.entra, request.get('authorization'))
    response.json(withContext(graph, read({ ...graph, caller, request })))
  }

export const withContext = ({ url }: Graph, body: object) => ({
  '@odata.context': `${url}/v1.0/$metadata`,
  ...body,
})

/** The address of this list as the caller wrote it. */
export const addressOf = ({ url, request }: Call) =>
  new URL(url + request.originalUrl.replace(/^.*?(?=\/v1\.0)/, ''))
