import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { readCompiled } from '../../../scripts/bicep/compile.ts'
import { runBicep } from '../../../scripts/bicep/compiler.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'

const FOLDER = fileURLToPath(new URL('../../../../shared/cases/templates/', import.meta.url))
const skip = withoutCompiler || (existsSync(FOLDER) ? false : 'the small templates of ../shared are not here')
if (skip) console.log(`# ${skip}`)

/** What is declared, each with its key: module path and symbol, and what an upsert finds the object by. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  '01-loops-in-properties': ['portal supplier-portal', 'portalPrincipal {portal.appId}'],
  '02-site-properties-by-union': ['intranet intranet-search'],
  '03-one-module-twice': [
    'nightly/app nightly-builds',
    'nightly/principal {app.appId}',
    'releases/app release-publisher',
    'releases/github release-publisher/github-production',
    'releases/principal {app.appId}',
  ],
  '04-credential-named-by-reference': [
    'deployer docs-site-deployer',
    'deployer::mainBranch docs-site-deployer/main-branch',
    'pullRequests docs-site-deployer/pull-requests',
  ],
  '09-replace-everywhere': ['approverGroup invoice-approvers', 'auditorGroup invoice-auditors'],
  '11-identity-in-the-same-file': [
    'api invoice-api',
    'workerSignsIn invoice-api/worker',
    'apiPrincipal {api.appId}',
    'workerMayPost {apiPrincipal.id} {worker.principalId} 8176f66e-3a98-5996-ade3-a58d3619be02',
  ],
  '15-tenant-scope': [
    'admins platform-admins',
    'teamGroups[0] platform-network',
    'teamGroups[1] platform-data',
  ],
  '19-imported-function-and-types': ['vouchers meal-vouchers'],
  '22-uri-from-default-domain': ['weather weather-mcp'],
  '24-existing-or-new-group': [
    'library library-loans',
    'libraryPrincipal {library.appId}',
    'made library-readers',
    'access {libraryPrincipal.id} {made.id} 00000000-0000-0000-0000-000000000000',
  ],
}

const Parameters = z.object({ parametersJson: z.string() })
const Values = z.object({ parameters: z.record(z.string(), z.looseObject({ value: z.json().optional() })) })

describe('templates that people write', { skip }, () => {
  for (const [name, expected] of Object.entries(TEMPLATES)) {
    it(`are read: ${name}`, async () => {
      const cwd = await mkdtemp(join(tmpdir(), 'template-'))
      try {
        await cp(join(FOLDER, name), cwd, { recursive: true })
        const build = await runBicep(['build', 'main.bicep', '--stdout'], { cwd })
        const params = await runBicep(['build-params', 'main.bicepparam', '--stdout'], { cwd })
        const { parametersJson } = Parameters.parse(JSON.parse(params.stdout))
        const { parameters } = Values.parse(JSON.parse(parametersJson))
        const { declared } = readCompiled({
          template: JSON.parse(build.stdout),
          snapshot: JSON.parse(await readFile(join(cwd, 'main.snapshot.json'), 'utf8')),
          parameters: Object.fromEntries(
            Object.entries(parameters).map(([key, { value = null }]) => [key, value]),
          ),
        })
        assert.deepEqual(
          declared.map(({ id, key }) => [id, ...Object.values(key).map(String)].join(' ')),
          expected,
        )
      } finally {
        await rm(cwd, { recursive: true, force: true })
      }
    })
  }
})
