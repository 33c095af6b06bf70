import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readable } from './deployed-values.ts'

describe('A compiled expression is read', () => {
  it('as text when it is known', () => {
    assert.equal(readable('https://mcp.contoso.com/mcp'), 'https://mcp.contoso.com/mcp')
  })

  it('with the name of the object whose property is not known yet', () => {
    assert.equal(readable("[format('api://{0}', reference('api').appId)]"), 'api://{api.appId}')
  })

  it('with the name of the module whose output is not known yet', () => {
    const module =
      "reference('/subscriptions/1/resourceGroups/rg/providers/Microsoft.Resources/deployments/host-j4sicvzjh4hwg', '2025-04-01')"
    assert.equal(
      readable(`[format('https://{0}.{1}/mcp', 'ca-x', ${module}.outputs.defaultDomain.value)]`),
      'https://ca-x.{host.defaultDomain}/mcp',
    )
  })

  it('with the name of the module when its deployment is not known either', () => {
    const name = "format('host-{0}', uniqueString('host', deployment().name))"
    const id = `extensionResourceId('/subscriptions/1', 'Microsoft.Resources/deployments', ${name})`
    assert.equal(
      readable(`[reference(${id}, '2025-04-01').outputs.defaultDomain.value]`),
      '{host.defaultDomain}',
    )
  })

  it('as the call that it is otherwise', () => {
    assert.equal(
      readable("[if(equals(reference('a').b, 'it''s'), '/x', '/y')]"),
      "if(equals({a.b}, it's), /x, /y)",
    )
  })

  it('not at all when it is none', () => {
    assert.throws(() => readable('[what is this?]'), /is not understood: \[what is this\?\]/)
    assert.throws(() => readable(7), /A text was expected, not 7/)
  })
})
