import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'

/** The port that an environment variable chooses; 0 means any free one. Throws on anything else. */
export function portFrom(variable: string, usual: number, env = process.env): number {
  const text = env[variable]
  if (!text) return usual
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${variable} should be a port from 0 to 65535.`)
  return port
}

/**
 * A port that is free now; for a server whose URL must be known before it listens. Below those that systems give to
 * connections and to whoever asks for any (Linux from 32768, IANA from 49152), so that nobody gets it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768)
    const server = createServer()
    try {
      await once(server.listen(port), 'listening')
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE') continue
      throw error
    }
    server.close()
    await once(server, 'close')
    return port
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

async function listen(server: Server, port: number, host: string): Promise<number> {
  // An error event ends the wait as well.
  await once(server.listen({ port, host }), 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : port
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** `localhost` may mean 127.0.0.1 or ::1, and what listens on the other one must not be a stranger. */
async function listenTwice(servers: [Server, Server], port: number): Promise<number> {
  const bound = await listen(servers[0], port, '127.0.0.1')
  try {
    await listen(servers[1], bound, '::1')
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') {
      await close(servers[0])
      throw error
    }
    // No IPv6 on this machine: then `localhost` is 127.0.0.1.
  }
  return bound
}

const ATTEMPTS = 5

/** Serves on both loopback addresses. A busy port is an error that names the variable to change; 0 finds a free one. */
export async function listenOnLoopback(handler: RequestListener, port: number, variable: string) {
  for (let attempt = 1; ; attempt += 1) {
    const servers: [Server, Server] = [createServer(handler), createServer(handler)]
    try {
      const bound = await listenTwice(servers, port)
      return { port: bound, close: () => Promise.all(servers.map(close)).then(() => undefined) }
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE') throw error
      if (port !== 0 || attempt === ATTEMPTS) {
        throw new Error(
          `Port ${port} is busy. Stop what uses it, or set ${variable} to another port (0 = any free one).`,
        )
      }
    }
  }
}
