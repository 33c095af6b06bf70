import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Compiled, compile, readCompiled } from '../../../scripts/bicep/compile.ts'
import type { DeclaredResource } from '../../../scripts/bicep/declared.ts'
import type { Json } from '../../../scripts/bicep/template.ts'
import { NOTHING_FURTHER } from '../../../scripts/whatif/further.ts'
import { decideExitCode, renderJson, summarize } from '../../../scripts/whatif/report.ts'
import { renderMarkdown } from '../../../scripts/whatif/report-markdown.ts'
import { renderText } from '../../../scripts/whatif/report-text.ts'
import type { Grade } from '../../../scripts/whatif/risk.ts'
import { runWhatIf, type WhatIf } from '../../../scripts/whatif/whatif.ts'
import { DeploymentError, deploy } from '../graph/deployment.ts'
import { SUBSCRIPTION, withoutCompiler } from '../graph/directory-harness.ts'
import { startStage } from '../stage.ts'
import { CASES, type TemplateCase } from './template-cases.ts'

const FOLDER = fileURLToPath(new URL('../../../../shared/cases/templates/', import.meta.url))
const skip = withoutCompiler || (existsSync(FOLDER) ? false : 'the small templates of ../shared are not here')
if (skip) console.log(`# ${skip}`)

type Stage = Awaited<ReturnType<typeof startStage>>
const RIGHTS = [
  'Application.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Group.ReadWrite.All',
  'User.Read.All',
] as const
const LOGIN = 'https://login.microsoftonline.com'

const differences = ({ changes }: WhatIf, grade?: Grade) =>
  changes.flatMap(({ title, properties }) =>
    properties
      .filter(({ risk }) => grade === undefined || risk.grade === grade)
      .map(({ action, path }) => (grade === undefined ? `${title} ${action} ${path}` : `${title} ${path}`)),
  )

const seenIn = (result: WhatIf) => [
  ...differences(result),
  ...result.unmanaged.map(({ title, kind }) => `${title} has ${kind}`),
]

const unknownIn = (value: Json): string[] => {
  if (typeof value !== 'object' || value === null) return []
  const { knownAfterDeployment: text } = Array.isArray(value) ? {} : value
  return typeof text === 'string' ? [text] : Object.values(value).flatMap(unknownIn)
}

/** Nobody may ever read an expression, a heap of base64 or a list of letters in place of what is meant. */
function assertReadable(result: WhatIf): void {
  for (const text of [renderText(result, false), renderMarkdown(result), renderJson(result)]) {
    assert.doesNotMatch(text, /\[object |lambda|undefined|reference\(|[A-Za-z0-9+/]{120}/)
  }
}

const hasExpression = ({ properties }: DeclaredResource) => 'claimsMatchingExpression' in properties

/** Without what the emulator refuses of everybody, and without `names`. */
const without = ({ declared, ...compiled }: Compiled, ...names: string[]): Compiled => ({
  ...compiled,
  declared: declared
    .filter((one) => !hasExpression(one))
    .map((one) => ({
      ...one,
      properties: Object.fromEntries(
        Object.entries(one.properties).filter(
          ([name]) => !['isAssignableToRole', 'info', 'optionalClaims', ...names].includes(name),
        ),
      ),
    })),
})

/** A deployment that fails with a new object succeeds when it is repeated; some URIs only an older app may have. */
async function play(
  stage: Stage,
  token: string,
  compiled: Compiled,
  azure: Record<string, Record<string, Json>>,
) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const part = without(compiled, ...(attempt === 2 ? ['identifierUris'] : []))
      const deployed = await deploy({ graphUrl: stage.graphUrl, token, compiled: part, azure })
      if (attempt !== 2) return deployed
      for (const { api } of stage.directory.applications) api.requestedAccessTokenVersion = 2
    } catch (error) {
      if (!(error instanceof DeploymentError) || attempt > 3) throw error
    }
  }
}

const PAGE = new URL('../../../docs/whatif.md', import.meta.url)

describe('templates that people write', { skip }, () => {
  const rows: string[][] = []
  let stage: Stage
  let clean: ReturnType<Stage['save']>
  before(async () => {
    stage = await startStage()
    clean = stage.save()
  })
  after(() => stage.stop())

  const compiledOf = (name: string, { parameters = 'main.bicepparam', environment }: TemplateCase) => {
    const file = join(FOLDER, name.split(' ')[0] ?? '', parameters)
    const options = {
      infra: dirname(file),
      parameters: basename(file),
      subscriptionId: SUBSCRIPTION,
      tenantId: stage.tenantId,
      environment: {
        AZURE_ENV_NAME: 'dev',
        AZURE_PRINCIPAL_ID: stage.operator('Olivia').oid,
        ...environment,
      },
    }
    return { file, options }
  }
  /** Entra makes the one who deploys an owner of what is new. */
  const deployer = () =>
    stage.directory.servicePrincipals.findLast(({ displayName }) => displayName === 'pipeline')?.id ??
    stage.operator('Olivia').oid
  const ask = async (compiled: Compiled) => {
    const { directory } = await stage.context(stage.base)
    const variables = { AZURE_ENV_NAME: 'dev', AZURE_SUBSCRIPTION_ID: SUBSCRIPTION }
    const about = { compiled, further: NOTHING_FURTHER, tenantId: stage.tenantId, places: new Map() }
    return runWhatIf({ ...about, variables }, directory, {
      exceptions: [],
      deployer: deployer(),
      perspective: 'proposed',
      today: '2026-11-27',
    })
  }
  for (const [name, wanted] of Object.entries(CASES)) {
    describe(name, () => {
      let compiled: Compiled
      before(async () => {
        clean.restore()
        compiled = await compile(compiledOf(name, wanted).options)
      })
      it('is read', () => {
        assert.deepEqual(
          compiled.declared.map(({ id, key }) =>
            [id, ...Object.values(key).map(String)].join(' ').replace(/(?<=dev-)[a-z0-9]{13}$/, ''),
          ),
          wanted.objects,
        )
      })
      it('is read from the snapshot at hand too', async () => {
        const { file } = compiledOf(name, wanted)
        const snapshot = JSON.parse(
          await readFile(file.replace(/(\.parameters\.json|\.bicepparam)$/, '.snapshot.json'), 'utf8'),
        )
        const { declared } = readCompiled({ ...compiled.written, snapshot })
        assert.deepEqual(
          declared.map(({ id }) => id),
          compiled.declared.map(({ id }) => id),
        )
      })
      it('is a first deployment', async () => {
        const result = await ask(compiled)
        assertReadable(result)
        assert.deepEqual(differences(result, 'high').toSorted(), (wanted.high ?? []).toSorted())
        assert.deepEqual(differences(result, 'medium').toSorted(), (wanted.medium ?? []).toSorted())
        assert.deepEqual(
          result.blockers.map(({ title, rule }) => `${title} ${rule}`),
          wanted.fails ?? [],
        )
        const own = /\.(appId|id)\}$/
        const texts = unknownIn(JSON.parse(renderJson(result))).filter((text) => !own.test(text))
        assert.deepEqual([...new Set(texts)].toSorted(), [...(wanted.unknown ?? [])].toSorted())
        assert.equal(result.changes.length, compiled.declared.length)
        const { high, medium, low } = summarize(result).risks
        const unknown = result.blockers.length > 0 ? 'will fail' : texts.length > 0 ? 'partly' : 'all'
        rows.push([
          name.replace(/^\d+-/, ''),
          ...[compiled.declared.length, high, medium, low].map(String),
          unknown,
        ])
      })
      it('is no change afterwards, and one change by hand is seen', async () => {
        const { principalId } = stage.recreateIdentity('id-worker')
        const token = await stage.appToken([...RIGHTS])
        await play(stage, token, compiled, {
          'environment()': { authentication: { loginEndpoint: `${LOGIN}/` } },
          'deployer()': { objectId: deployer() },
          environmentOfApps: { defaultDomain: 'gentlesea-1a2b3c4d.westeurope.azurecontainerapps.io' },
          worker: { principalId, tenantId: stage.tenantId },
        })
        wanted.afterwards?.(stage.directory)
        const calm = await ask(compiled)
        assertReadable(calm)
        const open = calm.pending.map(({ title, path, risk }) => `${title}, ${path}: ${risk.grade}`)
        assert.deepEqual(open, wanted.open ?? [])
        const usual = wanted.calm ?? []
        assert.deepEqual(seenIn(calm), usual)
        // What Graph does not show is no finding: it would be one for ever.
        const isFound = usual.length > 0 || calm.pending.some(({ isUnseen }) => !isUnseen)
        if (wanted.open !== undefined) assert.equal(decideExitCode(calm, 'any'), isFound ? 2 : 0)
        wanted.byHand(stage.directory)
        assert.deepEqual(seenIn(await ask(compiled)), [...wanted.seen, ...usual])
      })
    })
  }

  it('have their table in docs/whatif.md', async () => {
    const heads = ['template', 'objects', 'high', 'medium', 'low', 'known before the deployment']
    const text = [heads, heads.map(() => '---'), ...rows]
      .map((cells) => `| ${cells.join(' | ')} |`)
      .join('\n')
    const page = await readFile(PAGE, 'utf8')
    const [start, end] = ['<!-- templates: generated -->\n', '\n<!-- /templates -->']
    const current = page.slice(page.indexOf(start) + start.length, page.indexOf(end))
    if (process.env.RENEW_GOLDEN)
      await writeFile(
        PAGE,
        page.replace(start + current + end, () => start + text + end),
      )
    else assert.equal(current, text, 'RENEW_GOLDEN=1 node --test tests/scripts/whatif/templates.test.ts')
  })
})
