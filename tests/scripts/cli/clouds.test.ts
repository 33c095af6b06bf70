import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { environmentOf } from '../../../scripts/cli/environment.ts'

const known = { AZURE_ENV_NAME: 'dev', AZURE_SUBSCRIPTION_ID: '11111111-1111-4111-8111-111111111111' }

describe('Other clouds than the public one', () => {
  const hosts: [string, string][] = [
    ['GRAPH_ENDPOINT', 'https://graph.microsoft.us'],
    ['GRAPH_ENDPOINT', 'https://microsoftgraph.chinacloudapi.cn'],
    ['ENTRA_AUTHORITY_HOST', 'https://login.microsoftonline.us'],
    ['ENTRA_AUTHORITY_HOST', 'https://login.partner.microsoftonline.cn/'],
  ]
  for (const [name, host] of hosts)
    it(`are refused by the scripts: ${host}`, () =>
      assert.throws(() => environmentOf({ ...known, [name]: host }), {
        message: new RegExp(`${name} should be https://\\S+: this template is for the public cloud only`),
      }))

  it('are not meant by an emulator on this machine, nor by a slash at the end', () => {
    assert.equal(
      environmentOf({ ...known, GRAPH_ENDPOINT: 'http://127.0.0.1:9/' }).GRAPH_ENDPOINT,
      'http://127.0.0.1:9',
    )
    const { ENTRA_AUTHORITY_HOST } = environmentOf({
      ...known,
      ENTRA_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
    })
    assert.equal(ENTRA_AUTHORITY_HOST, 'https://login.microsoftonline.com')
  })
})
