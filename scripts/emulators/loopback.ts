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
  const listener = await listenTwice(() => undefined, randomInt(20_000, 32_768))
  if (!listener) return freePort()
  await listener.close()
  return listener.port
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

async function listen(server: Server, port: number, host: string): Promise<number> {
  // An error event ends the wait as well.
  await once(server.listen({ port, host }), 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : port
}

const close = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/**
 * `localhost` may mean 127.0.0.1 or ::1, and what listens on the other one must not be a stranger. Undefined where the
 * port is busy.
 */
async function listenTwice(handler: RequestListener, port: number) {
  const servers = [createServer(handler), createServer(handler)] as const
  const closeBoth = async () => void (await Promise.all(servers.map(close)))
  try {
    const bound = await listen(servers[0], port, '127.0.0.1')
    await listen(servers[1], bound, '::1').catch((error: unknown) => {
      // Otherwise there is no IPv6 on this machine: then `localhost` is 127.0.0.1.
      if (codeOf(error) === 'EADDRINUSE') throw error
    })
    return { port: bound, close: closeBoth }
  } catch (error) {
    await closeBoth()
    if (codeOf(error) === 'EADDRINUSE') return undefined
    throw error
  }
}

const ATTEMPTS = 5

/** Serves on both loopback addresses. A busy port is an error that names the variable to change; 0 finds a free one. */
export async function listenOnLoopback(handler: RequestListener, port: number, variable: string) {
  for (let attempt = 0; attempt < (port === 0 ? ATTEMPTS : 1); attempt += 1) {
    const listener = await listenTwice(handler, port)
    if (listener) return listener
  }
  throw new Error(
    `Port ${port} is busy. Stop what uses it, or set ${variable} to another port (0 = any free one).`,
  )
}
