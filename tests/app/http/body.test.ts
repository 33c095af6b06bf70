import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { it } from 'node:test'
import express from 'express'
import { readBody } from '../../../app/http/body.ts'
import { listenOnLoopback } from '../../../scripts/emulators/loopback.ts'

it('a body that has ended before anybody reads it is the caller’s fault, and no fault of ours', async () => {
  const app = express()
  const told = Promise.withResolvers<unknown>()
  app.post('/', (request) => {
    request.once('close', () => told.resolve(readBody(request).catch((error: unknown) => error)))
  })
  const server = await listenOnLoopback(app, 0, 'PORT')
  try {
    const socket = connect(server.port, 'localhost').on('error', () => undefined)
    await once(socket, 'connect')
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n')
    const refusal = await told.promise
    assert.deepEqual(
      refusal instanceof Error &&
        'status' in refusal &&
        'reason' in refusal && [refusal.status, refusal.reason],
      [400, 'aborted'],
    )
    socket.destroy()
  } finally {
    await server.close()
  }
})
