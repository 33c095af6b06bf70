import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parameterSets, snapshotFile, target } from '../../scripts/snapshots.ts'
import { compile } from '../../scripts/template/compile.ts'
import { declaredResources } from '../../scripts/template/declared.ts'
import { parseExpression } from '../../scripts/template/expression.ts'
import { modulesIn, readTemplate } from '../../scripts/template/template.ts'
import { readValue, Unknown } from '../../scripts/template/value.ts'
import { withoutCompiler } from './directory-harness.ts'

const unknown = (text: string): Unknown => {
  const value = readValue(text)
  assert.ok(value instanceof Unknown)
  return value
}

describe('expressions of a compiled template', () => {
  it('are told from text, also when the text begins with a bracket', () => {
    assert.equal(parseExpression('plain'), undefined)
    assert.equal(parseExpression('[[not one]'), undefined)
    assert.equal(readValue('[[not one]'), '[not one]')
    assert.deepEqual(parseExpression("['it''s']"), { kind: 'text', value: "it's" })
  })

  it('are calls with arguments and a path', () => {
    assert.deepEqual(parseExpression("[first(variables('x'), 2).name[0]]"), {
      kind: 'call',
      name: 'first',
      args: [
        { kind: 'call', name: 'variables', args: [{ kind: 'text', value: 'x' }], path: [] },
        { kind: 'number', value: 2 },
      ],
      path: [
        { kind: 'text', value: 'name' },
        { kind: 'number', value: 0 },
      ],
    })
    const own = parseExpression("[__bicep.enabled(parameters('x'))]")
    assert.equal(own?.kind === 'call' && own.name, '__bicep.enabled')
  })

  it('that are none are refused with their text', () => {
    for (const text of ['[format(]', '[a b]', "[f('x' 'y')]", '[f(x)]', '[§]', '[f()) ]'])
      assert.throws(() => parseExpression(text), /is not understood: \[/, text)
  })

  it('name the symbol and the property that they read', () => {
    const { pattern } = unknown("[reference('api').appId]")
    assert.deepEqual(pattern, [{ kind: 'resource', name: 'api', path: ['appId'] }])
  })

  it('show their known parts', () => {
    const host =
      "reference('/subscriptions/1/resourceGroups/rg/providers/Microsoft.Resources/deployments/host-j4sicvzjh4hwg', '2025-04-01').outputs.defaultDomain.value"
    const url = unknown(`[format('{0}/mcp', format('https://{0}.{1}', 'ca-x', ${host}))]`)
    assert.equal(String(url), 'https://ca-x.{host.defaultDomain}/mcp')
    assert.equal(url.fits('https://ca-x.gentle.example/mcp'), true)
    assert.equal(url.fits('https://ca-y.gentle.example/mcp'), false)
    assert.equal(url.fits('https://ca-x.gentle.example/mcp/'), false)
    const joined = unknown("[concat('api://', reference('api').appId)]")
    assert.equal(String(joined), 'api://{api.appId}')
    const scoped =
      "[reference(extensionResourceId(resourceId('Microsoft.Resources/resourceGroups', 'rg'), 'Microsoft.Resources/deployments', format('host-{0}', uniqueString('host', deployment().name))), '2025-04-01').outputs.defaultDomain.value]"
    assert.equal(String(unknown(scoped)), '{host.defaultDomain}')
  })

  it('with nothing known say so', () => {
    const open = unknown("[toLower(reference('api').appId)]")
    assert.deepEqual([open.pattern, open.fits('x'), String(open)], [undefined, undefined, open.expression])
  })
})

const graph = (type: string, properties: object, more: object = {}) => ({
  type: `Microsoft.Graph/${type}@v1.0`,
  properties,
  ...more,
})
const group = (uniqueName: string, more: object = {}) =>
  graph('groups', { uniqueName, displayName: 'Team' }, more)
const module = (resources: object, more: object = {}) => ({
  type: 'Microsoft.Resources/deployments',
  name: "[format('inner-{0}', uniqueString('inner', deployment().name))]",
  properties: { parameters: {}, template: { resources }, ...more },
})
const ids = (resources: object, predictedResources: object[], variables: object = {}) =>
  declaredResources(readTemplate({ variables, resources }), { predictedResources }).map(({ id }) => id)

describe('template and snapshot', () => {
  it('are matched by type, declared properties and literal values', () => {
    const resources = {
      app: graph('applications', { uniqueName: 'x', displayName: 'X' }),
      named: group("[format('team-{0}', parameters('name'))]"),
      other: group("[variables('other')]"),
    }
    const predicted = [group('other-dev'), group('team-dev'), resources.app]
    const variables = { other: "[format('other-{0}', parameters('name'))]" }
    const declared = declaredResources(readTemplate({ variables, resources }), {
      predictedResources: predicted,
    })
    assert.deepEqual(
      declared.map(({ symbol, type, key }) => [symbol, type, key]),
      [
        ['app', 'applications', { uniqueName: 'x' }],
        ['named', 'groups', { uniqueName: 'team-dev' }],
        ['other', 'groups', { uniqueName: 'other-dev' }],
      ],
    )
  })

  it('are matched by the symbols that open values refer to', () => {
    const principal = (app: string) => graph('servicePrincipals', { appId: `[reference('${app}').appId]` })
    const resources = {
      one: graph('applications', { uniqueName: 'one' }),
      two: graph('applications', { uniqueName: 'two' }),
      oneHere: { ...principal('one'), dependsOn: ['one'] },
      twoHere: { ...principal('two'), dependsOn: ['two'] },
    }
    const predicted = [principal('two'), principal('one'), resources.two, resources.one]
    assert.deepEqual(ids(resources, predicted), ['one', 'two', 'oneHere', 'twoHere'])
  })

  it('make two writes of two passes over one unique name, in the order of their dependencies', () => {
    const first = graph('applications', { uniqueName: 'api', displayName: 'Api' })
    const second = graph('applications', {
      uniqueName: 'api',
      identifierUris: "[createArray(format('api://{0}', reference('api').appId))]",
    })
    const predicted = [
      graph('applications', {
        uniqueName: 'api',
        identifierUris: ["[format('api://{0}', reference('api').appId)]"],
      }),
      first,
    ]
    assert.deepEqual(ids({ again: { ...second, dependsOn: ['api'] }, api: first }, predicted), [
      'api',
      'again',
    ])
  })

  it('leave out what a condition switches off', () => {
    const resources = { on: group('on'), off: group('off', { condition: "[parameters('x')]" }) }
    assert.deepEqual(ids(resources, [group('on')]), ['on'])
    assert.throws(() => ids({ on: group('on'), off: group('off') }, [group('on')]), /do not fit together/)
  })

  it('follow modules, what is passed to them and what they wait for', () => {
    const inner = module(
      { team: group("[parameters('teamName')]") },
      { parameters: { teamName: { value: "[variables('name')]" } } },
    )
    const resources = {
      first: group('main'),
      inner: { ...inner, dependsOn: ['first'] },
      last: group('last', { dependsOn: ['inner'] }),
    }
    const variables = { name: "[format('team-{0}', parameters('x'))]" }
    const predicted = [group('last'), group('team-dev'), group('main')]
    assert.deepEqual(ids(resources, predicted, variables), ['first', 'inner/team', 'last'])
  })

  it('follow dependencies through Azure resources', () => {
    const vault = { type: 'Microsoft.KeyVault/vaults', name: 'v', dependsOn: ['first'] }
    const resources = { last: group('last', { dependsOn: ['vault'] }), vault, first: group('first') }
    assert.deepEqual(ids(resources, [group('last'), group('first')]), ['first', 'last'])
  })

  it('number the copies of a loop', () => {
    const loop = group("[format('team-{0}', copyIndex())]", { copy: { name: 'teams', count: 2 } })
    assert.deepEqual(ids({ teams: loop }, [group('team-0'), group('team-1')]), ['teams[0]', 'teams[1]'])
  })

  it('with a loop of modules are refused with a way out', () => {
    const loop = { ...module({ team: group('x') }), copy: { name: 'loop', count: 2 } }
    assert.throws(
      () => ids({ loop }, [group('x')]),
      /Module loop is a loop with Graph resources \(team\).*Declare/,
    )
  })

  it('that cannot be told apart are refused by name', () => {
    const wild = (name: string) => graph('groups', { uniqueName: `[parameters('${name}')]` })
    const predicted = [graph('groups', { uniqueName: 'x' }), graph('groups', { uniqueName: 'y' })]
    assert.throws(
      () => ids({ one: wild('a'), two: wild('b') }, predicted),
      /belongs to which of .*(one, two|two, one)/,
    )
  })

  it('of different files are refused', () => {
    assert.throws(
      () => ids({ one: group('x') }, [group('y')]),
      /no resource of the template could have become/,
    )
  })

  it('in a circle are refused', () => {
    const circle = { one: group('one', { dependsOn: ['two'] }), two: group('two', { dependsOn: ['one'] }) }
    assert.throws(() => ids(circle, [group('one'), group('two')]), /depend on each other in a circle: /)
  })

  it('with a Graph type that is new are refused', () => {
    const planet = graph('planets', { name: 'x' })
    assert.throws(
      () => ids({ planet }, [planet]),
      /Microsoft\.Graph\/planets@v1\.0 \(planet\) is a Graph type that is not known/,
    )
  })

  it('may be written without symbolic names', () => {
    const inner = { ...module({ team: group('team') }), dependsOn: ["[resourceId('Microsoft.X/y', 'z')]"] }
    const template = readTemplate({ resources: [{ type: 'Microsoft.X/y', name: 'z' }, inner] })
    assert.deepEqual(
      modulesIn(template).map(({ path, dependsOn }) => [path, dependsOn]),
      [
        [[], []],
        [['inner'], ['z']],
      ],
    )
  })

  it('that is no template is refused', () => {
    assert.throws(() => readTemplate({}), /^Error: The template is not one that bicep build writes/)
    const broken = { inner: { type: 'Microsoft.Resources/deployments', properties: { template: {} } } }
    assert.throws(() => readTemplate({ resources: broken }), /The template of module inner is not one/)
  })
})

describe('this template', { skip: withoutCompiler }, () => {
  const infra = fileURLToPath(new URL('../../infra/', import.meta.url))
  for (const [name, environment] of Object.entries(parameterSets)) {
    it(`fits its committed snapshot "${name}" without doubt`, async () => {
      const { template } = await compile({ infra, environment, ...target })
      const snapshot: unknown = JSON.parse(await readFile(snapshotFile(name), 'utf8'))
      const declared = declaredResources(template, snapshot)
      const symbols = declared.map(({ symbol }) => symbol)
      for (const [first, second] of [
        ['api', 'apiPrincipal'],
        ['api', 'apiReachable'],
        ['publicClient', 'apiReachable'],
      ])
        assert.ok(symbols.indexOf(first ?? '') < symbols.indexOf(second ?? ''), `${first} before ${second}`)
      const uris = declared.find(({ symbol }) => symbol === 'apiReachable')?.properties.identifierUris
      assert.ok(Array.isArray(uris))
      assert.match(String(uris[0]), /^https:\/\/ca-\w+\.\{host\.defaultDomain\}\/mcp$/)
      assert.equal(String(uris.at(-1)), 'api://{api.appId}')
    })
  }
})
