import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { z } from 'zod'
import { Downstream } from '../../../app/tools/downstream.ts'
import { ToolRefusal } from '../../../app/tools/refusal.ts'

it('an answer without an end is read no further than a tool reads, and told as one that cannot be read', async () => {
  let sent = 0
  const part = Buffer.alloc(64 * 1024, ' ')
  const server = createServer(async (_request, response) => {
    while (!response.destroyed) {
      sent += part.length
      if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const api = { name: 'endless', displayName: 'Endless API', appId: '', resource: '', permissions: [] }
  const downstream = new Downstream([api], { endless: `http://127.0.0.1:${port}` })
  const { ask } = downstream.onBehalfOf(new Map([['endless', 'token']]))
  try {
    await assert.rejects(ask('endless', { path: '/all', answer: z.unknown() }), (error: unknown) => {
      assert.ok(error instanceof ToolRefusal)
      assert.match(error.message, /^Endless API gave an answer that cannot be read\./)
      return true
    })
    // What sockets hold on the way comes on top of the 4 MiB.
    assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes were sent`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
