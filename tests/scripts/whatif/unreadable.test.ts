import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { readCompiled } from '../../../scripts/bicep/compile.ts'
import type { Json } from '../../../scripts/bicep/template.ts'
import { NOTHING_FURTHER } from '../../../scripts/whatif/further.ts'
import { decideExitCode, renderJson } from '../../../scripts/whatif/report.ts'
import { renderMap } from '../../../scripts/whatif/report-map.ts'
import { renderMarkdown } from '../../../scripts/whatif/report-markdown.ts'
import { renderSarif } from '../../../scripts/whatif/report-sarif.ts'
import { renderText } from '../../../scripts/whatif/report-text.ts'
import { runWhatIf } from '../../../scripts/whatif/whatif.ts'
import { startStage } from '../stage.ts'

type Resource = { type: string; properties: Record<string, Json> }

const graph = (type: string, properties: Record<string, Json>): Resource => ({
  type: `Microsoft.Graph/${type}@v1.0`,
  properties,
})

describe('What cannot be read', () => {
  let stage: Awaited<ReturnType<typeof startStage>>
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.stop())

  const PLACES = new Map([['odd', { file: 'infra/main.bicep', line: 7 }]])
  async function ask(resources: Record<string, object>, predictedResources: object[]) {
    const compiled = readCompiled({
      template: { resources },
      snapshot: { predictedResources },
      parameters: {},
    })
    const { directory } = await stage.context(stage.base)
    const declared = {
      ...{ compiled, further: NOTHING_FURTHER, places: PLACES, tenantId: stage.tenantId },
      variables: { AZURE_ENV_NAME: 'dev' },
    }
    const perspective = 'proposed' as const
    return runWhatIf(declared, directory, {
      exceptions: [],
      deployer: undefined,
      perspective,
      today: '2026-11-27',
    })
  }

  it('is shown with file, line and reason and graded high, and stops nothing else', async () => {
    const odd = graph('planets', { name: 'mars' })
    const team = graph('groups', { uniqueName: 'team', displayName: 'Team' })
    const result = await ask({ odd, team }, [odd, team])
    assert.deepEqual(
      result.changes.map(({ title }) => title),
      ['Team'],
    )
    assert.equal(decideExitCode(result, 'high'), 2)
    assert.match(
      renderText(result, false),
      /Could not be read .*:\n {2}! planets "odd" {2}# infra\/main\.bicep:7\n +\[HIGH\] .*planets.* is not known here/,
    )
    assert.match(
      renderMarkdown(result),
      /🔴 high \| planets \*\*odd\*\* \| could not be read \(infra\/main\.bicep:7\)/,
    )
    assert.match(renderJson(result), /"unreadable": 1,[\s\S]*"file": "infra\/main\.bicep",\s+"line": 7/)
    assert.match(renderSarif(result), /"ruleId": "unreadable"[\s\S]*"startLine": 7/)
  })

  it('is never a nameless node, an [object Object] or the end, whatever people declare', async () => {
    const name = fc.constantFrom(
      'a',
      'b',
      '[what is this?]',
      "[format('x-{0}', reference('r0').id)]",
      '[[x',
      '',
    )
    const leaf = fc.oneof(
      name,
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.constantFrom("[reference('r0').appId]", "[if(equals(1, 1), createObject('a', 1), null())]", '[f(]'),
    )
    const value = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('relationships', 'value', 'id', 'name'), tie('value'), { maxKeys: 2 }),
      ),
    })).value
    const type = fc.constantFrom(
      ...['applications', 'groups', 'servicePrincipals', 'planets', 'appRoleAssignedTo'],
      ...['oauth2PermissionGrants', 'applications/federatedIdentityCredentials', 'users'],
    )
    const properties = fc.dictionary(
      fc.constantFrom(
        ...[
          'uniqueName',
          'displayName',
          'appId',
          'name',
          'owners',
          'members',
          'web',
          'api',
          'appRoles',
          'tags',
        ],
        ...[
          'clientId',
          'resourceId',
          'principalId',
          'appRoleId',
          'scope',
          'keyCredentials',
          'identifierUris',
        ],
        ...['requiredResourceAccess', 'subject', 'info', 'optionalClaims', 'userPrincipalName'],
      ),
      value,
      { maxKeys: 5 },
    )
    const resource = fc.record({ type, properties }).map(({ type, properties }) => graph(type, properties))
    const anchor = graph('groups', { uniqueName: 'anchor', displayName: 'Anchor' })
    await fc.assert(
      fc.asyncProperty(fc.array(resource, { minLength: 1, maxLength: 4 }), async (odd) => {
        const resources = Object.fromEntries([...odd, anchor].map((one, at) => [`r${at}`, one]))
        const result = await ask(resources, Object.values(resources))
        assert.equal(result.objects.length + result.unreadable.length > 0, true)
        const texts = [
          renderText(result, false),
          renderMarkdown(result),
          renderJson(result),
          renderMap(result),
        ]
        for (const text of texts) assert.doesNotMatch(text, /\[object |undefined|"title": ""|\*\*\*\*|\[""\]/)
        assert.ok(result.changes.some(({ title }) => title === 'Anchor'))
      }),
      { numRuns: 150 },
    )
  })
})
