/**
 * The server's request path without the database's client: the production app, but for a store that
 * answers at once. Its environment is the server's.
 */
import { createServer } from 'node:http'
import { createApp } from '../../app/app.ts'
import { loadConfig } from '../../app/config.ts'
import { loadDeclaration } from '../../app/declaration.ts'
import { createServices } from '../../app/services.ts'
import { openContainer } from '../../app/store/cosmos.ts'
import { ExpenseStore } from '../../app/store/expenses.ts'
import { batched, createLog } from '../../app/telemetry/log.ts'

class MemoryStore extends ExpenseStore {
  override async list() {
    return { expenses: [] }
  }
}

const config = loadConfig(process.env, loadDeclaration())
const log = createLog(config.logLevel, batched(process.stdout))
const store = new MemoryStore(openContainer(config.cosmos))
createServer(createApp(createServices(config, log, store))).listen(config.port, () =>
  console.log('listening'),
)
