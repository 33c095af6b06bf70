import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** The port that an environment variable chooses; 0 means any free one. Throws on anything else. */
export function portFrom(variable: string, usual: number, env = process.env): number {
  const text = env[variable]
  if (!text) return usual
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${variable} should be a port from 0 to 65535.`)
  return port
}

/** A port that is free now; for a server whose URL must be known before it listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
