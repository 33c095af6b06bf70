/** Loaded into a server before anything else (`node --import`): writes every connection it opens to stdout. */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket }
  const write = (connection: string) => process.stdout.write(`${JSON.stringify({ connection })}\n`)
  socket.once('lookup', (_error, _address, _family, host: string) => write(host))
  socket.on('connectionAttempt', (address: string, port: number) => write(`${address}:${port}`))
})
