import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { EntraError, errorBody } from '../../scripts/emulators/entra/refusals.ts'
import { post } from './rpc.ts'
import { type System, startSystem } from './system.ts'

/** What the alerts are tried on (tests/infra/monitor.test.ts). Renewed with RENEW_GOLDEN=1. */
const file = new URL('../infra/recorded-lines.json', import.meta.url)

const call = (name: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: {} },
})

describe('the audit lines that the alerts were tried on', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  afterEach(() => {
    system.tenant.faults.clear()
    system.cosmos.faults.clear()
  })
  after(() => system.stop())

  it('are those that the server writes', async () => {
    const lines: Record<string, unknown> = {}
    const record = async (name: string, tool: string, token?: string) => {
      const response = await post(system.mcp, call(tool), token === undefined ? {} : { token })
      const line = await system.auditLine(response)
      lines[name] = { ...line, time: '2026-11-21T13:59:12.207Z', request_id: 'id', duration_ms: 10 }
    }
    const [alice, bob] = [() => system.tokenFor('Alice'), await system.tokenFor('Bob')]
    const faults = system.tenant.faults
    await record('done', 'get_user_expenses', bob)
    await record('signed out', 'get_user_expenses')
    await record('not an admin', 'get_expense_stats', bob)
    system.cosmos.faults.inject('query', { status: 503 })
    await record('store away', 'get_user_expenses', bob)
    system.cosmos.faults.inject('query', { status: 403, substatus: 5300 })
    await record('store forbidden', 'get_user_expenses', bob)
    const ended = errorBody(new EntraError(50173, 'invalid_grant', 'Ended.'), 0)
    faults.on('obo', { answer: 400, body: ended, times: 1 })
    await record('sign-in ended', 'get_expense_stats', await alice())
    const secret = errorBody(new EntraError(7000215, 'invalid_client', 'Wrong.'), 0)
    faults.on('obo', { answer: 401, body: secret, times: 1 })
    await record('credential refused', 'get_expense_stats', await alice())
    faults.on('obo', { status: 503 })
    await record('Entra away', 'get_expense_stats', await alice())
    faults.clear()
    const body = { error: { code: 'Authorization_RequestDenied', message: 'No.' } }
    faults.on('graph', { answer: 403, body, times: 1 })
    await record('Graph refuses', 'get_expense_stats', await alice())
    faults.on('keys', { status: 503 })
    await system.restart()
    await record('no signing keys', 'get_user_expenses', bob)
    if (process.env.RENEW_GOLDEN) writeFileSync(file, `${JSON.stringify(lines, undefined, 2)}\n`)
    assert.deepEqual(lines, JSON.parse(readFileSync(file, 'utf8')))
  })
})
