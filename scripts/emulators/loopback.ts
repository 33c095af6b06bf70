import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'

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
