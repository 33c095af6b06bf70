import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Runtime, resolve } from '../../scripts/template/resolve.ts'
import { readTemplate } from '../../scripts/template/template.ts'
import type { Json } from '../../scripts/template/value.ts'

const inner = (outputs: Record<string, string>) => ({
  type: 'Microsoft.Resources/deployments',
  name: "[format('inner-{0}', uniqueString('inner', deployment().name))]",
  properties: {
    parameters: { group: { value: "[parameters('groupId')]" }, app: { value: "[reference('app').appId]" } },
    template: {
      variables: { name: "[format('{0}-x', parameters('app'))]" },
      resources: {},
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value }])),
    },
  },
})

describe('values that the compiler leaves open', () => {
  const outputs = {
    fromParent: "[parameters('app')]",
    fromVariable: "[variables('name')]",
    given: "[if(equals(parameters('group'), null()), reference('team').id, parameters('group'))]",
    optional: "[if(parameters('group'), reference('other').id, '')]",
    azure: "[reference('vault').properties.uri]",
    strange: "[toLower(parameters('group'))]",
  }
  const template = readTemplate({ resources: { inner: inner(outputs) } })
  const runtime = (
    objects: Record<string, Record<string, Json>>,
    parameters: Record<string, Json> = {},
  ): Runtime => ({
    parameters,
    azure: { host: { domain: 'gentle.example' } },
    resource: (module, symbol) => objects[[...module.path, symbol].join('/')],
  })
  const app = { appId: 'a-1', id: 'o-1' }
  const output = (name: string) =>
    `[reference('/subscriptions/1/providers/Microsoft.Resources/deployments/inner-j4sicvzjh4hwg', '2025-04-01').outputs.${name}.value]`
  const at = (value: Json, objects = { app }, parameters: Record<string, Json> = { groupId: 'g-1' }) =>
    resolve(value, template, runtime(objects, parameters))

  it('are filled in from deployed objects and the outputs of Azure', () => {
    assert.deepEqual(at({ list: ["[format('api://{0}', reference('app').appId)]", 1, null] }), {
      list: ['api://a-1', 1, null],
    })
    assert.equal(
      at("[format('https://{0}/mcp', reference('host').outputs.domain.value)]"),
      'https://gentle.example/mcp',
    )
    assert.equal(at('[[plain]'), '[plain]')
  })

  it('follow outputs, variables and parameters of modules', () => {
    assert.equal(at(output('fromParent')), 'a-1')
    assert.equal(at(output('fromVariable')), 'a-1-x')
  })

  it('take the branch whose resource was deployed', () => {
    assert.equal(at(output('given')), 'g-1')
    const team = { id: 't-1' }
    const objects = { app, 'inner/team': team }
    assert.equal(resolve(output('given'), template, runtime(objects, { groupId: null })), 't-1')
    assert.equal(at(output('optional')), '')
  })

  it('that are not known are named', () => {
    assert.throws(
      () => at("[reference('nobody').id]"),
      /nobody is not \(yet\) deployed, but something reads id of it/,
    )
    assert.throws(() => at("[reference('app').colour]"), /There is no colour in what it is read from/)
    assert.throws(
      () => at(output('missing')),
      /Output missing of module inner is needed, but it is not known/,
    )
    assert.throws(
      () => at(output('azure')),
      /Output azure of module inner is needed, but it is not known: vault/,
    )
    assert.throws(
      () => at(output('strange')),
      /toLower\(…\) is left open by the compiler and is not understood/,
    )
    assert.throws(() => at("[parameters('colour')]"), /The value of parameter colour of main is not known/)
    assert.throws(() => at("[variables('colour')]"), /The value of variable colour of main is not known/)
  })
})
