/** A service that stops talking at a certain point of every call. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

/** Where it stops: before it accepts the connection, before its headers, or in the middle of its body. */
export const STALLS = ['connect', 'headers', 'body'] as const
export type Stall = (typeof STALLS)[number]

export type Stalling = Readonly<{ url: string; close: () => Promise<void> }>

export const startStalling = (at: Stall): Promise<Stalling> =>
  at === 'connect' ? neverAccepting() : halfAnswering(at)

async function halfAnswering(at: 'headers' | 'body'): Promise<Stalling> {
  const server = createServer((_request, response) => {
    if (at === 'headers') return
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
    response.write('{"access_token":"')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => void server.close().closeAllConnections(),
  }
}

/** A thread that listens and then does nothing more: once its queue is full the kernel answers no further connection. */
const NEVER_ACCEPTING = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })
`

async function neverAccepting(): Promise<Stalling> {
  const worker = new Worker(NEVER_ACCEPTING, { eval: true })
  const [port]: number[] = await once(worker, 'message')
  const waiting: Socket[] = []
  // The queue holds one or two more than it was told: full is when one more has not got through in a while.
  for (let full = false; !full && waiting.length < 20; ) {
    const socket = connect(port ?? 0, '127.0.0.1').on('error', () => {})
    waiting.push(socket)
    full = !(await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 250)),
    ]))
  }
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of waiting) socket.destroy()
      await worker.terminate()
    },
  }
}
