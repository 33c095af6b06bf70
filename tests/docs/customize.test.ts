import assert from 'node:assert/strict'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import express from 'express'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { compile } from '../../scripts/bicep/compile.ts'
import { listenOnLoopback } from '../../scripts/emulators/loopback.ts'
import { callTool, lunch, post, toolNames } from '../e2e/rpc.ts'
import type { System, startSystem } from '../e2e/system.ts'
import { environmentOf, withoutCompiler } from '../infra/deployments.ts'
import { target } from '../infra/snapshots.ts'
import { type Copy, copyRepository } from './follow.ts'

const Module = z.looseObject({
  startSystem: z.custom<typeof startSystem>((value) => typeof value === 'function'),
})

describe('docs/customize.md', () => {
  let copy: Copy
  let running: System | undefined
  beforeEach(async () => {
    copy = await copyRepository('customize.md')
  })
  afterEach(async () => {
    await running?.stop()
    running = undefined
    await copy.remove()
  })

  /** The copy's own server and emulators. */
  async function start(toolSets: string, others: Record<string, string> = {}): Promise<System> {
    const system = await Module.parse(await copy.module('tests/e2e/system.ts')).startSystem({
      TOOL_SETS: toolSets,
      ...others,
    })
    running = system
    return system
  }
  const infraOf = (TOOL_SETS: string) =>
    compile({
      infra: join(copy.folder, 'infra/'),
      environment: { ...environmentOf('defaults'), TOOL_SETS },
      ...target,
    })

  it('adds a tool in four steps, which gives each caller what is theirs', async () => {
    await copy.follow('A tool of your own')
    await copy.check()
    const { mcp, tokenFor } = await start('expenses')
    const [alice, bob] = await Promise.all([tokenFor('Alice'), tokenFor('Bob')])
    await callTool(mcp, 'add_user_expense', lunch(), { token: alice })
    const latest = async (token: string) =>
      (await callTool(mcp, 'get_latest_expense', {}, { token })).structuredContent
    assert.deepEqual(await latest(alice), { day: '2026-03-01', amount: 12.5 })
    assert.deepEqual(await latest(bob), {})
  })

  it('adds a scope, without which the tool is refused', async () => {
    await copy.follow('A scope')
    const { mcp, tokenFor } = await start('expenses')
    const params = { name: 'add_user_expense', arguments: lunch() }
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
    const refused = await post(mcp, call, { token: await tokenFor('Alice') })
    assert.equal(refused.status, 403)
    assert.match(
      refused.headers.get('www-authenticate') ?? '',
      new RegExp(`insufficient_scope.*${mcp}/expenses\\.write`),
    )
    const scope = `${mcp}/user_impersonation ${mcp}/expenses.write`
    const saved = await callTool(mcp, 'add_user_expense', lunch(), {
      token: await tokenFor('Alice', { scope }),
    })
    assert.equal(saved.isError, undefined)
    if (withoutCompiler) return
    const { declared } = await infraOf('expenses')
    const scopes = declared.map(({ properties }) => JSON.stringify(properties.api ?? {}))
    assert.ok(scopes.some((text) => text.includes('"value":"expenses.write"')))
  })

  it('adds a downstream API, which is asked as the caller', async () => {
    await copy.follow('A downstream API')
    await copy.check()
    const asked: unknown[] = []
    const travel = express().get('/v1/me/trips', ({ headers }, response) => {
      const { aud, scp, oid } = decodeJwt(headers.authorization?.replace('Bearer ', '') ?? '')
      asked.push({ aud, scp })
      response.json({ trips: [{ to: String(oid).startsWith('a11ce') ? 'Oslo' : 'Rome', day: '2026-12-01' }] })
    })
    const api = await listenOnLoopback(travel, 0, '')
    try {
      const { mcp, tokenFor } = await start('travel', { TRAVEL_ENDPOINT: `http://localhost:${api.port}` })
      const trips = async (name: 'Alice' | 'Bob') =>
        (await callTool(mcp, 'get_trips', {}, { token: await tokenFor(name) })).structuredContent
      assert.deepEqual(await trips('Alice'), { trips: [{ to: 'Oslo', day: '2026-12-01' }] })
      assert.deepEqual(await trips('Bob'), { trips: [{ to: 'Rome', day: '2026-12-01' }] })
      for (const token of asked)
        assert.deepEqual(token, { aud: 'https://travel.contoso.com', scp: 'Trips.Read' })
    } finally {
      await api.close()
    }
    const refused = await callTool(
      running?.mcp ?? '',
      'get_trips',
      {},
      { token: (await running?.tokenFor('Alice')) ?? '' },
    )
    assert.match(refused.content[0]?.text ?? '', /Contoso Travel is not available/)
  })

  it('adds a tool set, which is there only where it is switched on', async () => {
    await copy.follow('A tool of your own')
    await copy.follow('A tool set')
    const off = await start('expenses')
    assert.ok(!(await toolNames(off.mcp, await off.tokenFor('Alice'))).includes('get_latest_expense'))
    await off.stop()
    const on = await start('expenses,latest')
    assert.ok((await toolNames(on.mcp, await on.tokenFor('Alice'))).includes('get_latest_expense'))
  })

  it('puts another store in the place of Cosmos DB', async () => {
    await copy.follow('Another store')
    await copy.check()
    const { mcp, tokenFor, cosmos } = await start('expenses')
    const [alice, bob] = await Promise.all([tokenFor('Alice'), tokenFor('Bob')])
    await callTool(mcp, 'add_user_expense', lunch(), { token: alice })
    const amounts = async (token: string) =>
      z
        .object({ expenses: z.array(z.object({ amount: z.number() })) })
        .parse((await callTool(mcp, 'get_user_expenses', {}, { token })).structuredContent)
        .expenses.map(({ amount }) => amount)
    assert.deepEqual([await amounts(alice), await amounts(bob)], [[12.5], []])
    const stats = await callTool(mcp, 'get_expense_stats', {}, { token: alice })
    assert.equal(stats.structuredContent?.total, 12.5)
    assert.deepEqual(cosmos.counters.operations, {})
    assert.equal((await fetch(new URL('/readyz', mcp))).status, 200)
  })

  it('removes the expenses', async () => {
    await copy.follow('Remove the expenses')
    const { mcp, tokenFor } = await start('profile')
    const names = await toolNames(mcp, await tokenFor('Alice'))
    assert.ok(names.length > 0)
    assert.ok(names.every((name) => !name.includes('expense')))
    if (withoutCompiler) return
    const { declared } = await infraOf('')
    assert.ok(declared.length > 0)
    assert.ok(
      declared.every(
        ({ properties }) => !JSON.stringify(properties.appRoles ?? []).includes('Expenses.Report'),
      ),
    )
  })
})
