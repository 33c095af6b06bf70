import { randomBytes } from 'node:crypto'
import { Account } from './cosmos/account.ts'
import { type Counters, Faults } from './cosmos/faults.ts'
import { gateway } from './cosmos/gateway.ts'
import { Storage } from './cosmos/storage.ts'
import { listenOnLoopback } from './loopback.ts'

export interface CosmosOptions {
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
  const faults = new Faults()
  const counters: Counters = { requests: 0, documentsRead: 0, operations: {} }
  const storage = new Storage(file)
  let url = ''
  try {
    const account = new Account(storage, counters, pageSize)
    account.provide(database, container, '/user_id')
    const listener = gateway({ account, key, url: () => url, faults, counters })
    const server = await listenOnLoopback(listener, options.port, 'COSMOS_PORT')
    url = `http://localhost:${server.port}`
    const close = () => server.close().then(() => storage.close())
    return { url, key, faults, counters, close }
  } catch (error) {
    storage.close()
    throw error
  }
}
