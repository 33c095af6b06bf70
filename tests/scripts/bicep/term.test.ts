import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { termOf } from '../../../scripts/bicep/scope.ts'
import { type Json, readTemplate } from '../../../scripts/bicep/template.ts'
import { type Lookup, placeOf } from '../../../scripts/bicep/term.ts'
import { toValue, Unknown } from '../../../scripts/bicep/value.ts'
import { filled } from './deployed-values.ts'

const inner = (outputs: Record<string, string>) => ({
  type: 'Microsoft.Resources/deployments',
  name: "[format('inner-{0}', uniqueString('inner', deployment().name))]",
  properties: {
    parameters: {
      group: { value: "[parameters('groupId')]" },
      app: { value: "[reference('app').appId]" },
      // Bicep writes a ternary as one text.
      chosen:
        "[if(empty(parameters('groupId')), createObject('value', createArray('nobody')), createObject('value', parameters('list')))]",
    },
    template: {
      parameters: { usual: { type: 'string', defaultValue: "[format('{0}-usual', parameters('group'))]" } },
      variables: { name: "[format('{0}-x', parameters('app'))]", settings: { deep: ['a', 'b'] } },
      resources: { team: { type: 'Microsoft.Graph/groups@v1.0' }, vault: { type: 'Microsoft.X/vaults' } },
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value }])),
    },
  },
})

describe('values that the compiler leaves open', () => {
  const outputs = {
    fromParent: "[parameters('app')]",
    fromVariable: "[variables('name')]",
    fromDefault: "[parameters('usual')]",
    chosen: "[parameters('chosen')[0]]",
    deep: "[variables('settings').deep[1]]",
    given: "[if(equals(parameters('group'), null()), reference('team').id, parameters('group'))]",
    azure: "[reference('vault').uri]",
    strange: "[toBase64(parameters('group'))]",
  }
  const at = (
    value: Json,
    objects: Record<string, Record<string, Json>> = { app },
    parameters: Record<string, Json> = { groupId: 'g-1', list: ['l-1'] },
  ) => {
    const template = readTemplate(
      { resources: { app: { type: 'Microsoft.Graph/applications@v1.0' }, inner: inner(outputs) } },
      parameters,
    )
    const lookup: Lookup = (source) => objects[placeOf(source)]
    return filled(toValue(termOf(value, { module: template })), lookup)
  }
  const app = { appId: 'a-1', id: 'o-1' }
  const output = (name: string) =>
    `[reference('/subscriptions/1/providers/Microsoft.Resources/deployments/inner-j4sicvzjh4hwg', '2025-04-01').outputs.${name}.value]`

  it('are filled in from deployed objects', () => {
    assert.deepEqual(at({ list: ["[format('api://{0}', reference('app').appId)]", 1, null] }), {
      list: ['api://a-1', 1, null],
    })
    assert.equal(at(output('azure'), { app, 'inner/vault': { uri: 'https://v' } }), 'https://v')
    assert.equal(at('[[plain]'), '[plain]')
    assert.equal(at("[format('{{{0}}}', reference('app').appId)]"), '{a-1}')
  })

  it('follow outputs, variables, parameters and their defaults through modules', () => {
    assert.equal(at(output('fromParent')), 'a-1')
    assert.equal(at(output('fromVariable')), 'a-1-x')
    assert.equal(at(output('fromDefault')), 'g-1-usual')
    assert.equal(at(output('deep')), 'b')
    assert.equal(at("[reference('inner').outputs.fromParent.value]"), 'a-1')
  })

  it('take the branch that the parameters choose', () => {
    assert.equal(at(output('given')), 'g-1')
    assert.equal(at(output('given'), { app, 'inner/team': { id: 't-1' } }, { groupId: null }), 't-1')
    assert.equal(at(output('chosen')), 'l-1')
    assert.equal(at(output('chosen'), { app }, { groupId: '', list: [] }), 'nobody')
  })

  it('that are not known are named', () => {
    assert.throws(() => at(output('given'), {}, { groupId: null }), /team is not \(yet\) deployed.*id of it/)
    assert.throws(() => at("[reference('app').colour]"), /There is no colour in app, but something reads it/)
    assert.throws(() => at(output('missing')), /inner is not \(yet\) deployed, but something reads missing/)
    assert.throws(
      () => at(output('strange')),
      /toBase64\(g-1\) is left open by the compiler and is not understood/,
    )
    assert.throws(() => at("[parameters('colour')]"), /parameters\(colour\) is left open/)
    assert.throws(() => at("[variables('colour')]"), /variables\(colour\) is left open/)
  })

  it('are never a guess: a function that is not known here stays open with what is in it', () => {
    const template = readTemplate({ resources: {} }, {})
    for (const [text, shown] of [
      ["[format('{0:N}', 7)]", 'format({0:N}, 7)'],
      ["[not('text')]", 'not(text)'],
      ["[if('text', 1, 2)]", 'if(text, 1, 2)'],
      ["[union(createArray('a'), parameters('x'))]", 'union(["a"], parameters(x))'],
      ["[createObject('a', 1).b]", '({"a":1}).b'],
    ] as const) {
      const value = toValue(termOf(text, { module: template }))
      assert.ok(value instanceof Unknown, text)
      assert.equal(String(value), shown)
    }
  })

  it('are never of a module whose name only looks alike: just the compiler’s format names a deployment', () => {
    const read = (name: string) =>
      `[reference(resourceId('Microsoft.Resources/deployments', ${name})).outputs.fromParent.value]`
    assert.equal(at(read("format('inner-{0}', uniqueString('inner'))")), 'a-1')
    for (const name of ["concat('inner', uniqueString('x'))", "parameters('inner')", "toUpper('inner')"])
      assert.throws(() => at(read(name)), /something reads fromParent of it/, name)
  })

  it('are computed where all of them is known', () => {
    const template = readTemplate({ resources: {} }, { x: ['a'], o: { k: null } })
    for (const [text, wanted] of [
      ["[and(true(), not(empty(parameters('x'))), equals(length(parameters('x')), 1))]", true],
      ["[or(false(), contains(parameters('x'), 'b'))]", false],
      ["[coalesce(tryGet(parameters('o'), 'k'), tryGet(parameters('o'), 'none'), 'last')]", 'last'],
      ["[concat(parameters('x'), createArray('b'))]", ['a', 'b']],
      ["[concat('a', toUpper('b'), toLower('C'))]", 'aBc'],
      ["[contains(parameters('o'), 'k')]", true],
      ["[contains('abc', 'b')]", true],
      ['[length(createObject())]', 0],
    ] as const)
      assert.deepEqual(toValue(termOf(text, { module: template })), wanted, text)
  })
})
