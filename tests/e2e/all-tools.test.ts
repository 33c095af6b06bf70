import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import type { Request } from 'express'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { loadDeclaration } from '../../app/declaration.ts'
import { everyToolSet, loadPermissions } from '../../app/permissions.ts'
import { PRODUCTION } from '../../scripts/emulators/seed/azure.ts'
import { startIngestion } from '../app/ingestion.ts'
import { assertImpersonal } from './impersonal.ts'
import { lunch, post } from './rpc.ts'
import { addService } from './service-app.ts'
import { type System, startSystem } from './system.ts'

const TOOL_SETS = everyToolSet(loadDeclaration())
const { tools, downstreamApis, scopes } = loadPermissions(TOOL_SETS)
const OCTOBER = { from: '2026-10-01', to: '2026-10-31' }

type Who = 'Alice' | 'Bob' | 'report'
/** Decision and reason of the audit line. */
type Verdict = readonly [decision: string, reason: string]
type Row = Readonly<{ args: (who: Who) => Record<string, unknown> }> & Readonly<Record<Who, Verdict>>

const MAY: Verdict = ['accept', 'tool']
const FOR_PEOPLE: Verdict = ['deny:rbac', 'not_for_this_service']
const everybody = { Alice: MAY, Bob: MAY, report: FOR_PEOPLE }
const none = () => ({})
const costs = () => ({ subscription: PRODUCTION, ...OCTOBER })
const FORBIDDEN: Verdict = ['deny:rbac', 'downstream_forbidden']

/** Every tool, and who may call it: Alice is an admin, Bob is none, the report is a service with Expenses.Report. */
const ROWS: Readonly<Record<string, Row>> = {
  add_user_expense: {
    args: (who) => lunch({ description: `Lunch of ${who}`, idempotency_key: who }),
    ...everybody,
  },
  get_user_expenses: { args: none, ...everybody },
  get_expense_stats: { args: none, Alice: MAY, Bob: ['deny:group', 'not_admin'], report: MAY },
  graph_get_profile: { args: none, ...everybody },
  get_user_context: { args: none, ...everybody },
  devops_get_profile: { args: none, ...everybody },
  // Bob has no role in Azure that reads costs there.
  cost_by_service: { args: costs, ...everybody, Bob: FORBIDDEN },
  cost_export: { args: costs, ...everybody, Bob: FORBIDDEN },
  get_documents: { args: () => ({ query: '*' }), ...everybody },
}

const CALLERS: readonly Who[] = ['Alice', 'Bob', 'report']
const Answer = z.object({
  result: z.looseObject({ structuredContent: z.record(z.string(), z.unknown()).optional() }).optional(),
  error: z.looseObject({ message: z.string() }).optional(),
})
const Token = z.object({ aud: z.string(), oid: z.string(), scp: z.string().optional() })

describe('two users and a service', () => {
  let system: System
  let insights: Awaited<ReturnType<typeof startIngestion>>
  let tokens: Record<Who, string>
  let ids: Record<Who, string>
  /** Tokens that downstream APIs were asked with, by their name. */
  const presented: [api: string, token: z.infer<typeof Token>][] = []
  before(async () => {
    insights = await startIngestion()
    system = await startSystem({
      TOOL_SETS,
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString,
    })
    const { directory, clientId, apiAppId, users } = system.seed
    directory.oauth2PermissionGrants.push({
      ...{ id: 'export', consentType: 'AllPrincipals', principalId: null, scope: 'cost.export' },
      clientId: directory.servicePrincipal(clientId)?.id ?? '',
      resourceId: directory.servicePrincipal(apiAppId)?.id ?? '',
    })
    const scope = scopes.map(({ value }) => `${system.mcp}/${value}`).join(' ')
    const service = addService(system, ['Expenses.Report'])
    const idOf = (name: string) => users.find((user) => user.name === name)?.oid ?? ''
    ids = { Alice: idOf('Alice'), Bob: idOf('Bob'), report: service.principalId }
    tokens = {
      Alice: await system.tokenFor('Alice', { scope }),
      Bob: await system.tokenFor('Bob', { scope }),
      report: await service.token(),
    }
    for (const { name } of downstreamApis) listenAt(name)
  })
  after(async () => {
    await system.stop()
    await insights.close()
  })

  /** Spares every call: it only looks at what comes. */
  function listenAt(api: string): void {
    const only = (request: Request) => {
      const user = request.get('x-ms-query-source-authorization') ?? request.get('authorization') ?? ''
      presented.push([api, Token.parse(decodeJwt(user.replace(/^Bearer /i, '')))])
      return false
    }
    system.tenant.faults.on(api as Parameters<typeof system.tenant.faults.on>[0], { status: 500, only })
  }

  async function call(who: Who, name: string) {
    const params = { name, arguments: ROWS[name]?.args(who) ?? {} }
    const response = await post(
      system.mcp,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      { token: tokens[who] },
    )
    const answer = Answer.parse(await response.json())
    return { answer, line: await system.auditLine(response) }
  }
  /** What does not depend on when it was asked. */
  const factsOf = ({ answer }: Awaited<ReturnType<typeof call>>) => {
    const { age_seconds: _, ...facts } = answer.result?.structuredContent ?? {}
    return facts
  }

  it('have a row for every tool', () => {
    assert.deepEqual(tools.map(({ name }) => name).toSorted(), Object.keys(ROWS).toSorted())
  })

  for (const [name, row] of Object.entries(ROWS)) {
    for (const who of CALLERS) {
      const [decision, reason] = row[who]
      it(`${who} and ${name}: ${decision} ${reason}`, async () => {
        const { answer, line } = await call(who, name)
        assert.deepEqual([line.decision, line.reason], [decision, reason])
        assert.deepEqual([line.oid, line.caller], [ids[who], who === 'report' ? 'service' : undefined])
        const failed = answer.error !== undefined || answer.result?.isError === true
        assert.equal(failed, decision !== 'accept')
        assert.equal(answer.result?.structuredContent === undefined, failed)
      })
    }
  }

  it('get the same at the same time as alone, and nothing of each other', async () => {
    const pairs = Object.keys(ROWS).flatMap((name) => CALLERS.map((who) => [who, name] as const))
    const alone = new Map<string, unknown>()
    for (const [who, name] of pairs) alone.set(`${who} ${name}`, factsOf(await call(who, name)))
    // Twice: one person may have four questions about costs in flight, and two tools ask them.
    const together = await Promise.all(
      [...pairs, ...pairs.toReversed()].map(async ([who, name]) => ({
        who,
        name,
        ...(await call(who, name)),
      })),
    )
    for (const { who, name, ...asked } of together) {
      assert.deepEqual(factsOf(asked), alone.get(`${who} ${name}`), `${who} ${name}`)
      assert.equal(asked.line.oid, ids[who])
      const others = CALLERS.filter((other) => other !== who).map((other) => ids[other])
      const text = JSON.stringify(asked.answer)
      for (const other of others) assert.ok(!text.includes(other), `${who} ${name} says ${other}`)
    }
    assert.notDeepEqual(alone.get('Alice get_user_expenses'), alone.get('Bob get_user_expenses'))
  })

  it('are shown to every downstream API as themselves, with a token for it and no more than its scopes', () => {
    const asked = new Set(presented.map(([api]) => api))
    assert.deepEqual([...asked].toSorted(), downstreamApis.map(({ name }) => name).toSorted())
    const people = new Set([ids.Alice, ids.Bob])
    for (const [api, { aud, oid, scp }] of presented) {
      const declared = downstreamApis.find(({ name }) => name === api)
      assert.ok(declared)
      assert.ok(
        [declared.resource, declared.appId].includes(aud.replace(/\/$/, '')),
        `${api} was shown ${aud}`,
      )
      assert.ok(people.has(oid), `${api} was asked as ${oid}`)
      const allowed = [
        ...declared.permissions.map(({ value }) => value),
        'openid',
        'profile',
        'email',
        'offline_access',
      ]
      for (const scope of scp?.split(' ') ?? [])
        assert.ok(allowed.includes(scope), `${api} was shown ${scope}`)
      assert.ok(scp, `${api} was asked by an app`)
    }
  })

  it('leave nothing personal in any audit line or span', async () => {
    assert.ok(system.lines().length > 100)
    assertImpersonal(system.lines(), system.seed)
    // What still waits is sent when the server ends.
    const ended = once(system.process(), 'exit')
    system.process().kill('SIGINT')
    await ended
    const spans = insights.deliveries.map(({ text }) => text)
    assert.ok(spans.length > 0)
    for (const text of spans) {
      const who = new RegExp(
        [...Object.values(ids), 'Lunch', '@contoso', '\\bAlice\\b', '\\bBob\\b', 'eyJ'].join('|'),
        'i',
      )
      assert.doesNotMatch(text, who)
    }
  })
})
