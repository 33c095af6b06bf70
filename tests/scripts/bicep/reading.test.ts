import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compile, readCompiled } from '../../../scripts/bicep/compile.ts'
import { readDeclared } from '../../../scripts/bicep/declared.ts'
import { parseExpression } from '../../../scripts/bicep/expression.ts'
import { termOf } from '../../../scripts/bicep/scope.ts'
import { readTemplate } from '../../../scripts/bicep/template.ts'
import { toValue, Unknown } from '../../../scripts/bicep/value.ts'
import { parameterSets, snapshotFile, target } from '../../infra/snapshots.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { modulesIn, scopeless } from './deployed-values.ts'

const unknown = (text: string): Unknown => {
  const value = toValue(termOf(text, scopeless))
  assert.ok(value instanceof Unknown)
  return value
}

describe('expressions of a compiled template', () => {
  it('are told from text, also when the text begins with a bracket', () => {
    assert.equal(parseExpression('plain'), undefined)
    assert.equal(parseExpression('[[not one]'), undefined)
    assert.equal(termOf('[[not one]', scopeless).kind, 'known')
    assert.deepEqual(parseExpression("['it''s']"), { kind: 'known', value: "it's" })
  })

  it('are calls with arguments and a path', () => {
    assert.deepEqual(parseExpression("[first(variables('x'), 2).name[0]]"), {
      kind: 'call',
      name: 'first',
      args: [
        { kind: 'call', name: 'variables', args: [{ kind: 'known', value: 'x' }], path: [] },
        { kind: 'known', value: 2 },
      ],
      path: [
        { kind: 'known', value: 'name' },
        { kind: 'known', value: 0 },
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
    assert.deepEqual(pattern, [{ kind: 'source', module: undefined, symbol: 'api', path: ['appId'] }])
  })

  it('show their known parts', () => {
    const host =
      "reference('/subscriptions/1/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/cae-j4sicvzjh4hwg', '2025-07-01').defaultDomain"
    const url = unknown(`[format('{0}/mcp', format('https://{0}.{1}', 'ca-x', ${host}))]`)
    assert.equal(String(url), 'https://ca-x.{cae.defaultDomain}/mcp')
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
    assert.deepEqual(
      [open.pattern, open.fits('x'), String(open)],
      [undefined, undefined, 'toLower({api.appId})'],
    )
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
const readIn = (resources: object, predictedResources: object[], variables: object = {}, given = {}) =>
  readDeclared(readTemplate({ variables, resources }, given), { predictedResources })
const declaredIn = (resources: object, predictedResources: object[], variables: object = {}, given = {}) =>
  readIn(resources, predictedResources, variables, given).declared
const ids = (...given: Parameters<typeof readIn>) => declaredIn(...given).map(({ id }) => id)
/** Where each may be, how it is called, and why it is not read. */
const unreadIn = (...given: Parameters<typeof readIn>) =>
  readIn(...given).unreadable.map(({ symbols, title, reason }) => `${symbols.join(', ')} ${title}: ${reason}`)

describe('template and snapshot', () => {
  it('are brought together in the order of the template', () => {
    const resources = {
      app: graph('applications', { uniqueName: 'x', displayName: 'X' }),
      named: group("[format('team-{0}', parameters('name'))]"),
      other: group("[variables('other')]"),
    }
    const predicted = [resources.app, group('team-dev'), group('other-dev')]
    const variables = { other: "[format('other-{0}', parameters('name'))]" }
    assert.deepEqual(
      declaredIn(resources, predicted, variables).map(({ id, type, key }) => [id, type, key]),
      [
        ['app', 'applications', { uniqueName: 'x' }],
        ['named', 'groups', { uniqueName: 'team-dev' }],
        ['other', 'groups', { uniqueName: 'other-dev' }],
      ],
    )
    assert.equal(ids(resources, predicted.toReversed(), variables).length, 3)
  })

  it('are brought together in the order of the dependencies before that', () => {
    const principal = (app: string) => graph('servicePrincipals', { appId: `[reference('${app}').appId]` })
    const resources = {
      twoHere: { ...principal('two'), dependsOn: ['two'] },
      one: graph('applications', { uniqueName: 'one' }),
      two: graph('applications', { uniqueName: 'two' }),
      oneHere: { ...principal('one'), dependsOn: ['one'] },
    }
    const predicted = [resources.two, principal('two'), resources.one, principal('one')]
    assert.deepEqual(ids(resources, predicted), ['two', 'twoHere', 'one', 'oneHere'])
  })

  it('name the resource of the module that a value comes from', () => {
    const inside = (name: string) => ({
      ...module({ app: graph('applications', { uniqueName: name }) }),
      name: `[format('${name}-{0}', uniqueString('${name}', deployment().name))]`,
    })
    const withOutput = (name: string) => {
      const one = inside(name)
      const outputs = { id: { value: "[reference('app').appId]" } }
      return { ...one, properties: { ...one.properties, template: { ...one.properties.template, outputs } } }
    }
    const read = (name: string) => `[reference('${name}').outputs.id.value]`
    const resources = {
      first: withOutput('first'),
      second: withOutput('second'),
    }
    const both = graph('groups', {
      uniqueName: 'both',
      displayName: 'x',
      owners: [read('second'), read('first')],
    })
    const open = "[reference('app').appId]"
    const predicted = [
      graph('applications', { uniqueName: 'first' }),
      graph('applications', { uniqueName: 'second' }),
      graph('groups', { uniqueName: 'both', displayName: 'x', owners: [open, open] }),
    ]
    const declared = declaredIn(
      { ...resources, both: { ...both, dependsOn: ['first', 'second'] } },
      predicted,
    )
    const owners = declared.at(-1)?.properties.owners
    assert.ok(Array.isArray(owners))
    const places = owners.map((one) => {
      assert.ok(one instanceof Unknown)
      const [part] = one.pattern ?? []
      return typeof part === 'object' && part.module?.path
    })
    assert.deepEqual(places, [['second'], ['first']])
    const mixed = {
      ...both,
      properties: {
        ...both.properties,
        owners: `[union(createArray(reference('first').outputs.id.value), createArray(reference('second').outputs.id.value))]`,
      },
    }
    const unclear = declaredIn(
      { ...resources, both: { ...mixed, dependsOn: ['first', 'second'] } },
      predicted,
    )
    assert.match(
      JSON.stringify(unclear.at(-1)?.properties.owners),
      /\{reference\(app\)\.appId\}/,
      'unknown, not a guess',
    )
  })

  it('make two writes of two passes over one unique name, in the order of their dependencies', () => {
    const first = graph('applications', { uniqueName: 'api', displayName: 'Api' })
    const second = graph('applications', {
      uniqueName: 'api',
      identifierUris: "[createArray(format('api://{0}', reference('api').appId))]",
    })
    const predicted = [
      first,
      graph('applications', {
        uniqueName: 'api',
        identifierUris: ["[format('api://{0}', reference('api').appId)]"],
      }),
    ]
    assert.deepEqual(ids({ again: { ...second, dependsOn: ['api'] }, api: first }, predicted), [
      'api',
      'again',
    ])
  })

  it('leave out what a condition switches off', () => {
    const resources = { on: group('on'), off: group('off', { condition: "[parameters('x')]" }) }
    assert.deepEqual(ids(resources, [group('on')]), ['on'])
    assert.deepEqual(ids(resources, [group('on')], {}, { x: false }), ['on'])
    assert.deepEqual(ids(resources, [group('on')], {}, { x: true }), ['on'])
    const [off] = unreadIn({ on: group('on'), off: group('off') }, [group('on')])
    assert.match(off ?? '', /^off off: .*the compiler does not predict it/)
    assert.equal(unreadIn(resources, [group('on')], {}, { x: true }).length, 1)
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
    const predicted = [group('main'), group('team-dev'), group('last')]
    assert.deepEqual(ids(resources, predicted, variables), ['first', 'inner/team', 'last'])
  })

  it('follow dependencies through Azure resources', () => {
    const vault = { type: 'Microsoft.KeyVault/vaults', name: 'v', dependsOn: ['first'] }
    const resources = { last: group('last', { dependsOn: ['vault'] }), vault, first: group('first') }
    assert.deepEqual(ids(resources, [group('first'), group('last')]), ['first', 'last'])
  })

  it('number the copies of a loop, also of one whose length only the compiler knows', () => {
    const loop = (count: unknown) =>
      group("[format('team-{0}', copyIndex())]", { copy: { name: 'teams', count } })
    const predicted = [group('team-0'), group('team-1')]
    assert.deepEqual(ids({ teams: loop(2) }, predicted), ['teams[0]', 'teams[1]'])
    assert.deepEqual(ids({ teams: loop("[length(parameters('x'))]") }, predicted), ['teams[0]', 'teams[1]'])
    // What fits one resource only is that one, in whatever order.
    assert.deepEqual(ids({ teams: loop(3) }, predicted), ['teams[0]', 'teams[1]'])
    assert.match(unreadIn({ teams: loop(3) }, predicted)[0] ?? '', /^teams\[2\] /)
    assert.deepEqual(ids({ teams: loop(2) }, predicted.toReversed()), ['teams[1]', 'teams[0]'])
  })

  it('number the copies of a module, which know their parameters', () => {
    const inner = module(
      { team: group("[parameters('teamName')]") },
      { parameters: { teamName: { value: "[variables('names')[copyIndex()]]" } } },
    )
    const loop = (count: unknown) => ({ loop: { ...inner, copy: { name: 'loop', count } } })
    const variables = { names: ['red', 'blue'] }
    const predicted = [group('red'), group('blue')]
    const wanted = ['loop[0]/team', 'loop[1]/team']
    assert.deepEqual(ids(loop("[length(variables('names'))]"), predicted, variables), wanted)
    const [one, ...others] = unreadIn(loop("[length(parameters('x'))]"), predicted, variables)
    assert.match(one ?? '', /^loop\/team Team: Module loop is a loop, and its length .*Loop over a parameter/)
    assert.equal(others.length, 1)
  })

  it('know loops over a property, and properties that are one expression', () => {
    const looped = graph('applications', {
      uniqueName: 'x',
      copy: [{ name: 'tags', count: 2, input: "[copyIndex('tags')]" }],
    })
    const predicted = graph('applications', { uniqueName: 'x', tags: ['0', '1'] })
    assert.deepEqual(ids({ looped }, [predicted]), ['looped'])
    const site = { type: 'Microsoft.Web/sites', properties: "[union(variables('a'), variables('b'))]" }
    assert.deepEqual(ids({ site, team: group('x') }, [group('x')]), ['team'])
  })

  it('that cannot be told apart are not read, and named', () => {
    const wild = (name: string) =>
      graph('groups', { uniqueName: `[parameters('${name}')]` }, { condition: `[parameters('${name}On')]` })
    const predicted = [graph('groups', { uniqueName: 'x' })]
    const [doubt] = unreadIn({ one: wild('a'), two: wild('b') }, predicted)
    assert.match(doubt ?? '', /^one, two x: .*belongs to which of one, two/)
    const given = { aOn: false, bOn: true }
    assert.deepEqual(ids({ one: wild('a'), two: wild('b') }, predicted, {}, given), ['two'])
  })

  it('of different files are not read', () => {
    const [stranger] = unreadIn({ one: group('x') }, [group('y')])
    assert.match(stranger ?? '', /^one Team: .*no resource of the template could have become there/)
  })

  it('in a circle are refused', () => {
    const circle = { one: group('one', { dependsOn: ['two'] }), two: group('two', { dependsOn: ['one'] }) }
    assert.throws(() => ids(circle, [group('one'), group('two')]), /depend on each other in a circle/)
  })

  it('with a Graph type that is new are read without it', () => {
    const resources = { planet: graph('planets', { name: 'x' }), one: group('x') }
    const predicted = Object.values(resources)
    assert.deepEqual(ids(resources, predicted), ['one'])
    const [planet] = unreadIn(resources, predicted)
    assert.match(
      planet ?? '',
      /^planet planet: Microsoft\.Graph\/planets@v1\.0 \(planet\) is a Graph type that is not known/,
    )
  })

  it('with an expression that is not understood are read as far as the compiler has evaluated it', () => {
    const odd = group('[what is this?]', { condition: '[neither this]' })
    assert.deepEqual(ids({ odd, other: group('y') }, [group('x'), group('y')]), ['odd', 'other'])
    const open = group("[format('a{0}', what is this?)]")
    assert.deepEqual(ids({ open, other: group('y') }, [open, group('y')]), ['other'])
    assert.match(
      unreadIn({ open, other: group('y') }, [open, group('y')])[0] ?? '',
      /^open .*is not understood/,
    )
  })

  it('say so where nothing could be read', () => {
    const planet = graph('planets', { name: 'x' })
    const written = { template: { resources: { planet } }, snapshot: { predictedResources: [planet] } }
    assert.throws(() => readCompiled({ ...written, parameters: {} }), /planet: .*is not known here/)
  })

  it('may be written without symbolic names', () => {
    const inner = { ...module({ team: group('team') }), dependsOn: ["[resourceId('Microsoft.X/y', 'z')]"] }
    const resources = [inner, { type: 'Microsoft.X/y', name: 'z' }]
    const template = readTemplate({ resources })
    assert.deepEqual(
      modulesIn(template).map(({ path }) => path),
      [[], ['inner']],
    )
    const { declared } = readDeclared(template, { predictedResources: [group('team')] })
    assert.equal(declared.length, 1)
  })

  it('that is no template is refused', () => {
    assert.throws(() => readTemplate({}), /^Error: The template is not one that bicep build writes/)
    const broken = { inner: { type: 'Microsoft.Resources/deployments', properties: { template: {} } } }
    assert.throws(() => readTemplate({ resources: broken }), /The template of module inner is not one/)
  })
})

describe('this template', { skip: withoutCompiler }, () => {
  const infra = fileURLToPath(new URL('../../../infra/', import.meta.url))
  for (const [name, environment] of Object.entries(parameterSets)) {
    it(`fits its committed snapshot "${name}" without doubt`, async () => {
      const { template, declared: today } = await compile({ infra, environment, ...target })
      const snapshot: unknown = JSON.parse(await readFile(snapshotFile(name), 'utf8'))
      const { declared } = readDeclared(template, snapshot)
      assert.deepEqual(
        declared.map(({ id }) => id),
        today.map(({ id }) => id),
      )
      const symbols = declared.map(({ id }) => id.split('/').at(-1))
      for (const [first, second] of [
        ['api', 'apiPrincipal'],
        ['api', 'apiReachable'],
        ['publicClient', 'apiReachable'],
      ])
        assert.ok(symbols.indexOf(first ?? '') < symbols.indexOf(second ?? ''), `${first} before ${second}`)
      const uris = declared.find(({ id }) => id.endsWith('/apiReachable'))?.properties.identifierUris
      assert.ok(Array.isArray(uris))
      assert.match(String(uris[0]), /^https:\/\/ca-\w+\.\{environment\.defaultDomain\}\/mcp$/)
      assert.equal(String(uris.at(-1)), 'api://{api.appId}')
    })
  }
})
