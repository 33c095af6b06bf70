import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CosmosClient } from '@azure/cosmos'
import { STORE } from '../../scripts/emulators/server-environment.ts'
import { lastVersion, nextVersion } from '../app/versions.ts'
import { callTool, lunch } from './rpc.ts'
import { type System, startSystem } from './system.ts'

describe('the tools on the data of other versions', () => {
  let system: System
  before(async () => {
    system = await startSystem()
    const { url: endpoint, key } = system.cosmos
    const client = new CosmosClient({ endpoint, key })
    const { items } = client.database(STORE.database).container(STORE.container)
    const userId = (name: string) => system.seed.users.find((user) => user.name.startsWith(name))?.oid ?? ''
    for (const document of [...lastVersion(userId('Alice')), ...nextVersion(userId('Bob'))])
      await items.create(document)
    client.dispose()
  })
  after(() => system.stop())

  it('show and count an unknown category as it is', async () => {
    const [alice, bob] = [await system.tokenFor('Alice'), await system.tokenFor('Bob')]
    const list = await callTool(system.mcp, 'get_user_expenses', {}, { token: bob })
    assert.match(list.content[0]?.text ?? '', /travel/)
    assert.match(JSON.stringify(list.structuredContent), /"category":"travel".*"bank_transfer"/)
    const added = await callTool(system.mcp, 'add_user_expense', lunch({ category: 'gadget' }), {
      token: alice,
    })
    assert.equal(added.isError, undefined)
    const stats = await callTool(system.mcp, 'get_expense_stats', {}, { token: alice })
    assert.match(stats.content[0]?.text ?? '', /travel: 1 \(500\.00\)/)
    const { categories } = stats.structuredContent as { categories: Record<string, { count: number }> }
    assert.deepEqual([categories.travel?.count, categories.gadget?.count, categories.food?.count], [1, 1, 2])
  })

  it('record known categories only', async () => {
    const token = await system.tokenFor('Bob')
    const refused = await callTool(system.mcp, 'add_user_expense', lunch({ category: 'travel' }), { token })
    assert.equal(refused.isError, true)
  })

  it('tell idempotency keys apart by their bytes, and refuse those that have none', async () => {
    const token = await system.tokenFor('Bob')
    const add = (idempotency_key: string, amount: number) =>
      callTool(system.mcp, 'add_user_expense', lunch({ idempotency_key, amount }), { token })
    for (const key of ['\ud800', '\ud801', 'a\udfff'])
      assert.match((await add(key, 1)).content[0]?.text ?? '', /must be well-formed Unicode/)
    // Alike to the eye, and the same only after normalization.
    const keys = ['\u00e9', 'e\u0301', ' \u00e9', '\ufffd', '\ud83d\ude00']
    for (const [index, key] of keys.entries()) {
      assert.equal((await add(key, index + 1)).structuredContent?.replayed, false)
      assert.equal((await add(key, index + 1)).structuredContent?.replayed, true)
    }
    const description = lunch({ description: 'caf\udc00' })
    assert.equal((await callTool(system.mcp, 'add_user_expense', description, { token })).isError, true)
  })
})
