import { EventEmitter, on, once } from 'node:events'
import { createServer as createPlainServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'

const envelope = {
  name: z.string(),
  iKey: z.string(),
  time: z.string(),
  tags: z.record(z.string(), z.string()),
}
const known = {
  id: z.string(),
  name: z.string(),
  duration: z.string(),
  success: z.boolean(),
  properties: z.record(z.string(), z.string()),
}

/** Items as the track API takes them (Application Insights "telemetry data model"). */
const RequestItem = z.object({
  ...envelope,
  data: z.object({
    baseType: z.literal('RequestData'),
    baseData: z.object({ ...known, responseCode: z.string() }),
  }),
})
const DependencyItem = z.object({
  ...envelope,
  data: z.object({
    baseType: z.literal('RemoteDependencyData'),
    baseData: z.object({
      ...known,
      resultCode: z.string(),
      type: z.string(),
      target: z.string().optional(),
      data: z.string().optional(),
    }),
  }),
})

const Item = z.union([RequestItem, DependencyItem])
export type TelemetryItem = z.infer<typeof Item>

export const KEY = '99999999-8888-7777-6666-555555555555'

/** Application Insights' endpoint for telemetry. What it does with a delivery is the test's to say. */
export async function startIngestion(tls?: { key: string; cert: string }) {
  const deliveries: { path: string; authorization: string | undefined; text: string }[] = []
  const events = new EventEmitter()
  let behaviour: 'take' | 'hang' | number = 'take'
  const listener: RequestListener = async (request, response) => {
    const text = await bodyOf(request)
    deliveries.push({ path: request.url ?? '', authorization: request.headers.authorization, text })
    events.emit('delivery')
    if (behaviour === 'hang') return
    const status = behaviour === 'take' ? 200 : behaviour
    const count = status === 200 ? z.array(z.unknown()).parse(JSON.parse(text)).length : 0
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ itemsReceived: count, itemsAccepted: count, errors: [] }))
  }
  const server = (tls ? createTlsServer(tls, listener) : createPlainServer(listener)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const items = () => deliveries.flatMap(({ text }) => z.array(z.unknown()).parse(JSON.parse(text)))
  const endpoint = `${tls ? 'https' : 'http'}://localhost:${port}`
  return {
    port,
    connectionString: `InstrumentationKey=${KEY};IngestionEndpoint=${endpoint}/;LiveEndpoint=https://live.example.com/;ApplicationId=${KEY}`,
    deliveries,
    requests: () => items().flatMap((item) => RequestItem.safeParse(item).data ?? []),
    dependencies: () => items().flatMap((item) => DependencyItem.safeParse(item).data ?? []),
    /** Everything that was sent; each is a request or a dependency. */
    items: () => items().map((item) => Item.parse(item)),
    behave(next: typeof behaviour) {
      behaviour = next
    },
    /** Resolves when there have been so many deliveries. */
    async delivered(count: number): Promise<void> {
      const signal = AbortSignal.timeout(20_000)
      if (deliveries.length >= count) return
      for await (const _ of on(events, 'delivery', { signal })) if (deliveries.length >= count) return
    },
    close: () => server.close().closeAllConnections(),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const bytes = await buffer(request)
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
}
