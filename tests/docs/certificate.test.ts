import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Compiled, compile } from '../../scripts/bicep/compile.ts'
import { environmentOf, withoutCompiler } from '../infra/deployments.ts'
import { target } from '../infra/snapshots.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const variables = {
  CERTIFICATE_VAULT_GROUP: 'rg-secrets',
  CERTIFICATE_VAULT: 'kv-contoso',
  CERTIFICATE_NAME: 'expenses',
  API_CERTIFICATES: 'MIIBnext,MIIBused',
}

describe('docs/certificate.patch', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certificate-'))
    await cp(join(REPOSITORY, 'infra'), join(folder, 'infra'), { recursive: true })
    // `git apply docs/certificate.patch`, as the page says, but in a copy and with a complaint about every loose blank.
    const patch = join(REPOSITORY, 'docs', 'certificate.patch')
    await promisify(execFile)('git', ['apply', '--whitespace=error', patch], { cwd: folder })
  })
  after(() => rm(folder, { recursive: true }))

  it('reads every variable that docs/certificate.md sets, and no other', async () => {
    const page = await readFile(join(REPOSITORY, 'docs', 'certificate.md'), 'utf8')
    const set = [...page.matchAll(/azd env set (\w+)/g)].map(([, name]) => name)
    assert.deepEqual(set.toSorted(), Object.keys(variables).toSorted())
    const parameters = await readFile(join(folder, 'infra', 'main.bicepparam'), 'utf8')
    for (const name of set) assert.ok(parameters.includes(`readEnvironmentVariable('${name}'`), name)
  })

  describe('compiled', { skip: withoutCompiler }, () => {
    let compiled: Compiled
    let predicted: string
    before(async () => {
      const environment = { ...environmentOf('defaults'), ...variables }
      compiled = await compile({ infra: join(folder, 'infra/'), environment, ...target })
      predicted = JSON.stringify(compiled.written.snapshot)
    })

    it('declares both certificates on the API app, and on no other', () => {
      const keys = compiled.declared
        .filter(({ type }) => type === 'applications')
        .map(({ properties }) => properties.keyCredentials)
      const declared = ['MIIBnext', 'MIIBused'].map((key) => ({
        displayName: 'Key Vault',
        type: 'AsymmetricX509Cert',
        usage: 'Verify',
        key,
      }))
      assert.deepEqual(
        keys.filter((list) => Array.isArray(list) && list.length > 0),
        [declared],
      )
    })

    it('mounts the secret, tells the server where, and lets it read that one alone', () => {
      for (const said of [
        /"storageType":"Secret"/,
        /"mountPath":"\/mnt\/entra"/,
        /"ENTRA_CLIENT_CERTIFICATE_PATH","value":"\/mnt\/entra\/certificate\.pem"/,
        /"keyVaultUrl":"\[reference\([^"]*kv-contoso\/secrets\/expenses[^"]*secretUri\]"/,
        /4633458b-17de-408a-b874-0445c86b69e6/,
        /"id":"[^"]*\/rg-secrets\/[^"]*\/vaults\/kv-contoso\/secrets\/expenses\/[^"]*roleAssignments/,
      ])
        assert.match(predicted, said)
    })
  })
})
