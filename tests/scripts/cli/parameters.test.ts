import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { environmentOf } from '../../../scripts/cli/environment.ts'
import { checkParameters } from '../../../scripts/cli/parameters.ts'
import { EXAMPLES } from './parameter-examples.ts'

const base = {
  AZURE_ENV_NAME: 'dev',
  AZURE_LOCATION: 'westeurope',
  AZURE_SUBSCRIPTION_ID: '11111111-1111-4111-8111-111111111111',
}

/** As preprovision: first the environment is read, then the values are checked. */
const check = (variables: Record<string, string>) => {
  const all = { ...base, ...variables }
  environmentOf(all)
  return checkParameters(all, ['expenses', 'profile'])
}

describe('the values of the azd environment', () => {
  it('have examples, one by one, for every variable that infra/main.bicepparam reads', async () => {
    const text = await readFile(new URL('../../../infra/main.bicepparam', import.meta.url), 'utf8')
    const read = Array.from(text.matchAll(/readEnvironmentVariable\('(\w+)'/g), ([, name]) => name)
    assert.ok(read.length > 10)
    assert.deepEqual([...new Set(read)].sort(), Object.keys(EXAMPLES).sort())
    for (const [name, { accepted, refused }] of Object.entries(EXAMPLES)) {
      assert.ok(accepted.length > 0, `${name}: nothing accepted`)
      assert.ok(refused.length > 0, `${name}: nothing refused, and no reason`)
    }
  })

  for (const [name, { accepted, refused }] of Object.entries(EXAMPLES)) {
    it(`are accepted: ${name}`, () => {
      for (const value of accepted) check({ [name]: value })
    })
    for (const value of typeof refused === 'string' ? [] : refused) {
      it(`are refused: ${name}=${value.slice(0, 60)}`, () => {
        assert.throws(() => check({ [name]: value }), {
          name: 'Problem',
          message: new RegExp(`${name}[\\s\\S]+\\n {2}why: .+\\n {2}fix: azd env set <NAME> <value>`),
        })
      })
    }
  }

  it('are refused together, and where they do not agree', () => {
    assert.throws(
      () => check({ MIN_REPLICAS: '-1', ALERT_EMAIL: 'me' }),
      /MIN_REPLICAS "-1" should[\s\S]+ALERT_EMAIL "me" should/,
    )
    assert.throws(
      () => check({ MIN_REPLICAS: '5', MAX_REPLICAS: '2' }),
      /MIN_REPLICAS 5 should not be greater than MAX_REPLICAS 2/,
    )
    // The other one has its usual value.
    assert.throws(() => check({ MIN_REPLICAS: '11' }), /greater than MAX_REPLICAS 10/)
    check({ MIN_REPLICAS: '2', MAX_REPLICAS: '2' })
    const url = 'https://mcp.contoso.com/mcp'
    assert.throws(() => check({ LOCAL_SERVER_URL: url, EXTRA_SERVER_URLS: url }), /one of EXTRA_SERVER_URLS/)
  })

  it('are named where they have no effect, which is no failure', () => {
    const id = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd'
    assert.match(check({ ADMIN_MEMBERS: id, EXISTING_ADMIN_GROUP_ID: id }) ?? '', /ADMIN_MEMBERS is not used/)
    const local = { LOCAL_SERVER_URL: 'http://localhost:8081/mcp' }
    assert.match(check({ ...local, LOCAL_DEVELOPMENT: 'false' }) ?? '', /LOCAL_SERVER_URL is not used/)
    assert.equal(check(local), undefined)
  })

  it('count once in a list, and CI=false is a person', () => {
    const id = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd'
    const { EXTRA_CLIENTS } = environmentOf({ ...base, EXTRA_CLIENTS: `${id}, ${id.toUpperCase()},${id}` })
    assert.deepEqual(EXTRA_CLIENTS, [id])
    for (const ci of ['false', 'FALSE', '0', '', ' '])
      assert.equal(environmentOf({ ...base, CI: ci }).CI, false, ci)
    for (const ci of ['true', '1', 'woodpecker'])
      assert.equal(environmentOf({ ...base, CI: ci }).CI, true, ci)
  })
})
