import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadPermissions } from '../../app/permissions.ts'
import { startCosmos } from '../emulators/cosmos.ts'
import { freePort } from '../emulators/loopback.ts'
import { seedDirectory } from '../emulators/seed.ts'
import { STORE, serverEnvironment } from '../emulators/server-environment.ts'
import { startTenant } from '../emulators/tenant.ts'
import { type Started, start, stop } from './processes.ts'

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** The flags of the image: every server of the bench runs with them. */
const FLAGS =
  readFileSync(here('../../app/Dockerfile'), 'utf8')
    .match(/^CMD .*$/m)?.[0]
    .match(/--max-[a-z-]+=\d+/g) ?? []

export type Stage = Awaited<ReturnType<typeof startStage>>

/** The emulators, a port for our server, and every program bundled in the same way below `folder`. */
export async function startStage(folder: string) {
  const port = await freePort()
  const mcp = `http://localhost:${port}/mcp`
  const permissions = loadPermissions()
  const seed = seedDirectory({ mcpUrls: [mcp], permissions })
  const tenant = await startTenant({ ...seed, port: 0 })
  const cosmos = await startCosmos({ ...STORE, port: 0, file: ':memory:' })
  const issuer = `${tenant.url}/${seed.tenantId}`
  const started: Started[] = []
  const run = async (args: string[], env: Record<string, string>) => {
    const server = await start([...FLAGS, ...args], env)
    started.push(server)
    return server
  }
  const stopServers = () => Promise.all(started.splice(0).map((server) => stop(server)))
  const bundles = new Map<string, string>()
  const bundle = (entry: string) => {
    const known = bundles.get(entry)
    if (known) return known
    const out = join(folder, entry.replaceAll(/\W/g, '-'))
    execFileSync(process.execPath, [here('../build.ts'), out, entry])
    const made = join(out, 'app', entry.replace(/^.*\/(.*)\.ts$/, '$1.js'))
    bundles.set(entry, made)
    return made
  }
  return {
    mcp,
    seed,
    tenant,
    bundle,
    /** A token as Entra makes it for this user; Alice when left out. */
    tokenFor(oid = seed.users.find(({ name }) => name === 'Alice')?.oid) {
      const now = Math.floor(Date.now() / 1000)
      return tenant.sign({
        aud: seed.apiAppId,
        iss: `${issuer}/v2.0`,
        iat: now,
        nbf: now,
        exp: now + 3600,
        tid: seed.tenantId,
        oid,
        ver: '2.0',
        scp: 'user_impersonation',
        azp: seed.clientId,
      })
    },
    /** Starts our server: `entry` is the production one, or one with another store. */
    async ours(entry: string, more: Record<string, string> = {}) {
      const environment = serverEnvironment(mcp, { permissions, seed, tenant, cosmos })
      const env = { ...environment, RATE_LIMIT_PER_MINUTE: '1000000', ...more }
      return { ...(await run([bundle(entry)], env)), url: mcp }
    },
    /** Starts a server of others, which verifies tokens of the same tenant. */
    async theirs(program: string, more: Record<string, string> = {}) {
      const theirPort = await freePort()
      const args = [`${issuer}/discovery/v2.0/keys`, `${issuer}/v2.0`, seed.apiAppId, String(theirPort)]
      return { ...(await run([program, ...args], more)), url: `http://localhost:${theirPort}/mcp` }
    },
    /** Ends every server that was started. */
    stop: stopServers,
    close: () => Promise.all([stopServers(), tenant.close(), cosmos.close()]),
  }
}
