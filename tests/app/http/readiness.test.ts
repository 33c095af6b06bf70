import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { sharedReadiness } from '../../../app/http/readiness.ts'
import type { Services } from '../../../app/services.ts'
import { createLog } from '../../../app/telemetry/log.ts'

describe('readiness', () => {
  let keysAnswer: boolean
  let storeAnswers: boolean
  let looks: number
  let lines: string[]
  let ready: ReturnType<typeof sharedReadiness>
  const answer = async (isThere: boolean) => {
    if (!isThere) throw Object.assign(new Error('secret text'), { code: 'ECONNREFUSED' })
  }
  beforeEach(() => {
    mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    keysAnswer = storeAnswers = true
    looks = 0
    lines = []
    const services = {
      drain: { started: false },
      keys: { ready: () => answer(keysAnswer) },
      store: {
        reachable: () => {
          looks++
          return answer(storeAnswers)
        },
      },
      log: createLog('info', (line) => lines.push(line)),
    }
    ready = sharedReadiness(services as unknown as Services)
  })
  afterEach(() => mock.timers.reset())
  const later = () => mock.timers.setTime(Date.now() + 2_001)

  it('asks the store until it was reached once, and never again', async () => {
    storeAnswers = false
    await assert.rejects(ready(), { status: 503, reason: 'not_ready' })
    assert.match(lines.join(), /"level":"warn".*ECONNREFUSED/)
    assert.doesNotMatch(lines.join(), /secret text/)
    storeAnswers = true
    later()
    assert.deepEqual(await ready(), { status: 'ready' })
    storeAnswers = false
    for (let probe = 0; probe < 5; probe++) {
      later()
      assert.deepEqual(await ready(), { status: 'ready' })
    }
    assert.equal(looks, 2)
  })

  it('needs signing keys all the time', async () => {
    await ready()
    keysAnswer = false
    later()
    await assert.rejects(ready(), { status: 503 })
  })

  it('is looked at once for all who ask within two seconds', async () => {
    await Promise.all([ready(), ready(), ready()])
    assert.equal(looks, 1)
  })
})
