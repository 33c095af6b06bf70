import { OnBehalfOf } from '../../app/auth/obo.ts'
import type { Caller, UserId } from '../../app/auth/verifier.ts'
import { loadPermissions } from '../../app/permissions.ts'
import { listenOnLoopback } from '../emulators/loopback.ts'
import { median } from './processes.ts'
import type { Row } from './table.ts'

const GUID = '11111111-2222-3333-4444-555555555555'

/** A token endpoint that answers every exchange at once, and counts. */
async function tokenEndpoint() {
  let calls = 0
  const body = JSON.stringify({
    token_type: 'Bearer',
    expires_in: 3600,
    ext_expires_in: 3600,
    access_token: 'x'.repeat(1500),
  })
  const { port, close } = await listenOnLoopback(
    (request, response) => {
      calls++
      request
        .resume()
        .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(body))
    },
    0,
    'PORT',
  )
  return { url: `http://localhost:${port}`, calls: () => calls, close }
}

const callerNamed = (name: string): Caller => ({
  // A bench has no Entra to verify with: the exchange looks at the assertion only.
  userId: name as UserId,
  token: `${name}.${'t'.repeat(1500)}`,
  scopes: new Set(),
  roles: new Set(),
  client: undefined,
})

/** What a cached exchange costs, and how many calls 50 identical concurrent requests make. */
export async function exchangeRows(): Promise<Row[]> {
  const endpoint = await tokenEndpoint()
  const [graph] = loadPermissions().downstreamApis
  if (!graph) throw new Error('infra/permissions.json declares no downstream API.')
  const config = { tenantId: GUID, clientId: GUID, authorityHost: endpoint.url, oboCacheSeconds: 1800 }
  const newExchange = () => new OnBehalfOf({ ...config, credential: { kind: 'secret', secret: 'bench' } })
  try {
    const rows: Row[] = []
    for (const users of [100, 10_000]) {
      const obo = newExchange()
      const callers = Array.from({ length: users }, (_, index) => callerNamed(`user-${index}`))
      for (let from = 0; from < users; from += 50) {
        await Promise.all(callers.slice(from, from + 50).map((caller) => obo.tokenFor(caller, graph)))
      }
      const costs: number[] = []
      for (let hit = 0; hit < 20_000; hit++) {
        const caller = callers[(hit * 7919) % users]
        if (!caller) continue
        const began = performance.now()
        const { source } = await obo.tokenFor(caller, graph)
        costs.push((performance.now() - began) * 1000)
        if (source !== 'cache') throw new Error('An exchange that should be cached was not.')
      }
      const cost = median(costs)
      rows.push({
        what: `OBO cache hit with ${users} users`,
        measured: `${cost.toFixed(1)} microseconds`,
        goal: '< 50',
        met: cost < 50,
      })
    }
    const before = endpoint.calls()
    const [obo, caller] = [newExchange(), callerNamed('one')]
    await Promise.all(Array.from({ length: 50 }, () => obo.tokenFor(caller, graph)))
    const calls = endpoint.calls() - before
    return [
      ...rows,
      {
        what: 'token-endpoint calls of 50 identical requests',
        measured: String(calls),
        goal: '1',
        met: calls === 1,
      },
    ]
  } finally {
    await endpoint.close()
  }
}
