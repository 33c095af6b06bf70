import assert from 'node:assert/strict'
import { afterEach, describe, it, mock } from 'node:test'
import type { AuditLine } from '../../../app/telemetry/audit.ts'
import { AuditTrail } from '../../../app/telemetry/audit-trail.ts'
import { createLog } from '../../../app/telemetry/log.ts'

const missing: AuditLine = {
  decision: 'deny:token',
  reason: 'missing',
  outcome: 'refused',
  status: 401,
  request_id: 'id',
  duration_ms: 0.1,
}

describe('the audit trail', () => {
  afterEach(() => mock.timers.reset())

  function open() {
    mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 0 })
    const lines: Record<string, unknown>[] = []
    const recorded: AuditLine[] = []
    const log = createLog('error', (line) => lines.push(JSON.parse(line)))
    const trail = new AuditTrail({ log, record: (line) => recorded.push(line) })
    const write = (line: AuditLine, times: number) => {
      for (let time = 0; time < times; time++) trail.write(line)
    }
    return { lines, recorded, trail, write, counts: () => lines.flatMap(({ count }) => count ?? []) }
  }

  it('writes ten refusals of one kind a minute, and of the others one line with their number every ten seconds', () => {
    const { lines, recorded, write, counts } = open()
    write(missing, 4_000)
    assert.deepEqual([lines.length, recorded.length], [10, 10])
    mock.timers.tick(10_000)
    const { time: _, ...counted } = lines[10] ?? {}
    assert.deepEqual(counted, {
      decision: 'deny:token',
      reason: 'missing',
      outcome: 'refused',
      status: 401,
      count: 3_990,
    })
    write(missing, 5)
    mock.timers.tick(10_000)
    assert.deepEqual(counts(), [3_990, 5])
    mock.timers.tick(40_000)
    write(missing, 11)
    assert.equal(lines.length, 12 + 10)
  })

  it('tells the kinds apart', () => {
    const { lines, write } = open()
    for (const reason of ['missing', 'signature', 'expired']) write({ ...missing, reason }, 11)
    assert.equal(lines.length, 30)
  })

  it('writes every line of a signed-in caller, whatever strangers do', () => {
    const { lines, write } = open()
    write(missing, 4_000)
    write({ ...missing, decision: 'accept', reason: 'tool', status: 200, oid: 'alice' }, 50)
    write({ ...missing, decision: 'deny:scope', reason: 'insufficient_scope', status: 403, oid: 'alice' }, 50)
    assert.equal(lines.filter(({ oid }) => oid === 'alice').length, 100)
  })

  it('counts what a user is told for asking too often, for each user', () => {
    const { lines, trail, write } = open()
    for (const oid of ['alice', 'bob']) {
      write({ ...missing, decision: 'deny:rate', reason: 'rate_limit', status: 429, oid }, 30)
    }
    trail.flush()
    assert.deepEqual(
      lines.filter(({ count }) => count).map(({ oid, count }) => [oid, count]),
      [
        ['alice', 20],
        ['bob', 20],
      ],
    )
  })

  it('says nothing when there was nothing to count', () => {
    const { lines, write, trail } = open()
    write(missing, 10)
    trail.flush()
    mock.timers.tick(120_000)
    assert.equal(lines.length, 10)
  })
})
