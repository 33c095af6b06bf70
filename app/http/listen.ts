import { once } from 'node:events'
import type { Server } from 'node:http'

/** No IPv6 on this machine: then `localhost` is 127.0.0.1. */
const NO_SUCH_ADDRESS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']

/**
 * Listens on an address; on `localhost` that is both loopback addresses, so that what listens on the other one is no
 * stranger. Throws Node's error when the port cannot be used.
 */
export async function listen(make: () => Server, port: number, address: string): Promise<Server[]> {
  if (address !== 'localhost') return [await listening(make(), port, address)]
  const ipv4 = await listening(make(), port, '127.0.0.1')
  try {
    return [ipv4, await listening(make(), port, '::1')]
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (NO_SUCH_ADDRESS.includes(code)) return [ipv4]
    ipv4.close()
    throw error
  }
}

async function listening(server: Server, port: number, host: string): Promise<Server> {
  server.listen(port, host)
  await once(server, 'listening')
  return server
}
