import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findBicep } from '../../../scripts/bicep/compiler.ts'
import { settingNames } from '../../../scripts/github/settings.ts'
import { integrityOf, packWhatIf } from '../../../scripts/pack-whatif.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { use } from '../package/runner.ts'
import { type Rehearsal, startRehearsal } from '../whatif/rehearsal.ts'
import { jobOf } from './workflows.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
// What settings.ts finds out besides.
const FOUND = ['SERVER_IDENTITY_PRINCIPAL_ID', 'AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN']
const skip =
  withoutCompiler || (process.platform === 'win32' && 'the az of this test is a script for the shell of Unix')

describe('The workflows compare identities with the action, for real', { skip }, () => {
  let [folder, tarball] = ['', '']
  let tenant: Rehearsal
  let env: Record<string, string>
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'identities-'))
    tenant = await startRehearsal()
    const deployed = await tenant.up({
      environment: { CI: 'true', ADMIN_MEMBERS: tenant.operator('Olivia').oid },
    })
    tarball = await packWhatIf(folder)
    await mkdir(join(folder, 'azure/bin'), { recursive: true })
    await writeFile(
      join(folder, 'az'),
      `#!/bin/sh\nln -sf "${findBicep()?.path}" "$AZURE_CONFIG_DIR/bin/bicep"\n`,
    )
    await chmod(join(folder, 'az'), 0o755)
    const names = [...(await settingNames()), ...FOUND]
    env = {
      ...Object.fromEntries(names.flatMap((name) => (deployed[name] ? [[name, deployed[name]]] : []))),
      PATH: [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      HOME: process.env.HOME ?? '',
      AZURE_CONFIG_DIR: join(folder, 'azure'),
      CI: 'true',
      GRAPH_ENDPOINT: tenant.graphUrl,
      ENTRA_AUTHORITY_HOST: tenant.tenant.url,
      DIRECTORY_PATIENCE_SECONDS: '5',
      IDENTITY_WHAT_IF_TOKEN: await tenant.operatorToken('Olivia'),
    }
  })
  after(() => Promise.all([tenant?.stop(), rm(folder, { recursive: true, force: true })]))

  const compare = async (file: string, name: string) => {
    const desired = execFileSync(process.execPath, ['scripts/desired.ts'], {
      cwd: root,
      env,
      encoding: 'utf8',
    })
    await writeFile(join(folder, 'desired.json'), desired)
    const { steps } = await jobOf(file, name)
    const inputs = steps.find(({ uses }) => uses?.startsWith('./'))?.with ?? {}
    const own = {
      package: tarball,
      integrity: await integrityOf(tarball),
      desired: join(folder, 'desired.json'),
    }
    return use({
      with: { ...inputs, ...own },
      env,
      workspace: root,
      temp: folder,
      token: '',
      api: 'http://127.0.0.1:1',
    })
  }

  it('finds no difference after a deployment, and then what somebody has done', async () => {
    const settled = await compare('deploy.yml', 'deploy')
    assert.match(settled.summary, /No changes\. The directory is as declared\./)
    assert.deepEqual([settled.code, settled.outputs['exit-code'], settled.outputs.pending], [0, '0', '0'])
    const [app] = tenant.directory.applications
    if (app) app.signInAudience = 'AzureADMultipleOrgs'
    const drifted = await compare('drift.yml', 'compare')
    assert.deepEqual([drifted.code, drifted.outputs['exit-code'], drifted.outputs.high], [0, '2', '1'])
  })
})
