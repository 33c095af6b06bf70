import { once } from 'node:events'
import { loadPermissions } from '../../app/permissions.ts'
import { freePort } from '../emulators/loopback.ts'
import { seedDirectory } from '../emulators/seed.ts'
import { median, start, stop } from './processes.ts'
import { MEMORY_FLAGS } from './requests.ts'
import type { Row } from './table.ts'

const RUNS = 7

/** From the start of the process to its first line: the shipped bundle with its compile cache, and an empty Express app. */
export async function startRows(bundle: string, cache: string): Promise<Row[]> {
  const port = await freePort()
  const mcp = `http://localhost:${port}/mcp`
  const seed = seedDirectory({ mcpUrls: [mcp], permissions: loadPermissions() })
  const env = {
    PORT: String(port),
    SERVER_URL: mcp,
    AZURE_TENANT_ID: seed.tenantId,
    ENTRA_CLIENT_ID: seed.apiAppId,
    ENTRA_ADMIN_GROUP_ID: seed.adminGroupId,
    AZURE_CLIENT_ID: seed.managedIdentity.clientId,
    COSMOS_ENDPOINT: 'http://localhost:1',
    COSMOS_KEY: 'AAAA',
    COSMOS_DATABASE: 'expenses',
    COSMOS_CONTAINER: 'expenses',
    NODE_COMPILE_CACHE: cache,
  }
  const empty = new URL('empty.ts', import.meta.url).pathname
  const times: { ours: number; empty: number }[] = []
  for (let run = -1; run < RUNS; run++) {
    const ours = await start([...MEMORY_FLAGS, bundle], env)
    // The first run fills the compile cache, as the image's build does; it is written when the process ends by itself.
    ours.child.kill('SIGINT')
    await once(ours.child, 'exit')
    const floor = await start([empty])
    await stop(floor)
    if (run >= 0) times.push({ ours: ours.milliseconds, empty: floor.milliseconds })
  }
  const ratio = median(times.map(({ ours, empty }) => ours / empty))
  return [
    {
      what: 'start of the server against an empty Express app',
      measured: `${ratio.toFixed(2)} times (${median(times.map(({ ours }) => ours)).toFixed(0)} ms, ${median(times.map(({ empty }) => empty)).toFixed(0)} ms)`,
    },
  ]
}
