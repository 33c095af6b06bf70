import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DownstreamUnavailable, ExchangeFailed, IdentityRefused } from '../../../app/auth/downstream.ts'
import { DeadlineExceeded } from '../../../app/deadline.ts'
import { describe as description, faultFields } from '../../../app/telemetry/fault.ts'

const known = (error: unknown) =>
  Object.fromEntries(Object.entries(faultFields(error)).filter(([, value]) => value !== undefined))

describe('what is said of a fault', () => {
  it('is kind, code, status and substatus, wherever in the chain of causes they are', () => {
    const cosmos = Object.assign(new Error('secret'), { code: 403, substatus: 5300 })
    const batch = new Error('secret', { cause: cosmos })
    assert.deepEqual(known(batch), { error: 'Error', status: 403, substatus: 5300 })
    assert.match(description(batch), /^Error \(code 403\/5300\) at .+\(fault\.test\.ts:\d+:\d+\)$/)
  })

  it('names what a failure came from', () => {
    const refused = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' })
    const failed = new TypeError('fetch failed', { cause: refused })
    assert.deepEqual(known(failed), { error: 'TypeError', cause: 'ECONNREFUSED' })
    assert.deepEqual(known(new DownstreamUnavailable('Microsoft Graph', 5, new DeadlineExceeded(5))), {
      error: 'DownstreamUnavailable',
      code: 'downstream_unavailable',
      cause: 'deadline_exceeded',
    })
  })

  it('has no status of an abort, whose number is none of HTTP', () => {
    const aborted = new DOMException('secret', 'AbortError')
    assert.equal(aborted.code, 20)
    assert.deepEqual(known(aborted), { error: 'AbortError' })
  })

  it('has the status of an HTTP client’s error', () => {
    const http = Object.assign(new Error('secret'), { name: 'HTTPError', response: { status: 503 } })
    assert.deepEqual(known(http), { error: 'HTTPError', status: 503 })
  })

  it('has the code in the body of a refusal, and nothing else of it', () => {
    const refusalOf = (data: unknown) =>
      known(Object.assign(new Error('secret'), { name: 'HTTPError', response: { status: 400 }, data }))
    const said = { error_description: 'secret', trace_id: 'secret' }
    const entra = { error: 'invalid_grant', error_codes: [50076, 50079], ...said }
    assert.deepEqual(refusalOf(entra), { error: 'HTTPError', code: 'AADSTS50076', status: 400 })
    const graph = { error: { code: 'Authorization_RequestDenied', message: 'secret' } }
    assert.deepEqual(refusalOf(graph), {
      error: 'HTTPError',
      code: 'Authorization_RequestDenied',
      status: 400,
    })
    const nothing = [{ error: 'secret' }, { error_codes: ['secret'] }, { error: { code: 'a secret' } }]
    for (const data of ['secret', undefined, { error_codes: [] }, ...nothing])
      assert.deepEqual(refusalOf(data), { error: 'HTTPError', status: 400 })
  })

  it('has the client id of a missing managed identity and the endpoint’s own code', () => {
    const identity = crypto.randomUUID()
    const refused = new IdentityRefused({ identity, reason: 'invalid_request', status: 400 })
    assert.deepEqual(known(new ExchangeFailed(refused.code, refused.status, refused)), {
      error: 'ExchangeFailed',
      code: 'managed_identity_refused',
      status: 400,
      identity,
      cause: 'invalid_request',
    })
  })

  it('holds no text: neither a message nor a code that is one', () => {
    const telling = Object.assign(new Error('of alice@contoso.example'), {
      name: 'alice@contoso.example',
      code: 'no such user alice@contoso.example',
      reason: 'eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl '.repeat(5),
    })
    for (const error of [telling, new Error('outer', { cause: telling })])
      assert.doesNotMatch(JSON.stringify([known(error), description(error)]), /alice|eyJ/)
    assert.equal(description('alice'), 'A thing that is no error was thrown.')
  })

  it('ends where causes go round in a circle', () => {
    const one = new Error('one')
    one.cause = one
    assert.deepEqual(known(one), { error: 'Error' })
  })
})
