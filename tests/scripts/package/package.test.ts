import assert from 'node:assert/strict'
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Ajv } from 'ajv'
import { z } from 'zod'
import { bundle } from '../../../scripts/pack-whatif.ts'
import { startDirectory, withoutCompiler } from '../graph/directory-harness.ts'
import { makeStranger, type Stranger } from './packed.ts'

const ROOT = new URL('../../../', import.meta.url)
const json = async (file: string | URL): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'))
const validate = (schema: unknown, value: unknown) => {
  const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false })
  // That of SARIF is written in draft 4; nothing that it uses has changed since but the name of its own id.
  const { id: _, ...rules } = z.record(z.string(), z.unknown()).parse(schema)
  const isValid = ajv.compile({ ...rules, $schema: 'http://json-schema.org/draft-07/schema#' })
  assert.ok(isValid(value), JSON.stringify(isValid.errors?.slice(0, 5)))
}

describe('The package of the what-if', { skip: withoutCompiler }, () => {
  let stranger: Stranger
  let tenant: Awaited<ReturnType<typeof startDirectory>>
  let signedIn: Record<string, string>
  before(async () => {
    ;[stranger, tenant] = await Promise.all([makeStranger(), startDirectory()])
    const token = await tenant.operatorToken('Olivia')
    signedIn = { GRAPH_ENDPOINT: tenant.graphUrl, IDENTITY_WHAT_IF_TOKEN: token }
  })
  after(() => Promise.all([stranger.remove(), tenant.close()]))

  it('holds nothing of app/, of the hooks, their parts and the emulators, and no word of this template', async () => {
    const { inputs } = await bundle(join(stranger.folder, 'again'))
    const ours = Object.keys(inputs).filter((file) => !file.startsWith('node_modules/'))
    const rooms = new Set(ours.map((file) => file.split('/').slice(0, 2).join('/')))
    assert.deepEqual([...rooms].toSorted(), [
      ...['scripts/bicep', 'scripts/cli', 'scripts/graph', 'scripts/package', 'scripts/whatif'],
    ])
    for (const file of await readdir(join(stranger.packed, 'dist')))
      assert.doesNotMatch(
        await readFile(join(stranger.packed, 'dist', file), 'utf8'),
        /permissions\.json|ENTRA_(API|CLIENT)|SERVER_IDENTITY|EXTRA_CLIENTS|npm run consent|\.env\b['"`]/,
      )
  })

  it('is small, runs no script when it is installed, and carries licence texts', async () => {
    assert.ok((await stat(stranger.tarball)).size < 400_000)
    const manifest = await json(join(stranger.packed, 'package.json'))
    const keys = Object.keys(z.record(z.string(), z.unknown()).parse(manifest))
    assert.ok(!keys.includes('scripts') && !keys.includes('dependencies'))
    const texts = await readFile(join(stranger.packed, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
    for (const name of ['zod', '@azure/identity', 'zx', 'ky', 'jose'])
      assert.match(texts, new RegExp(`^${name} \\d`, 'm'))
    for (const file of ['README.md', 'LICENSE', 'identity-what-if.schema.json'])
      assert.ok((await readFile(join(stranger.packed, file), 'utf8')).length > 500, file)
  })

  it('draws the map in a folder of CommonJS, where nobody is signed in and azd is not there', async () => {
    const { code, output } = await stranger.whatif(['map'])
    assert.equal(code, 0, output)
    assert.match(output, /^flowchart LR\n[\s\S]*Invoices/)
  })

  it('compares with a token from a variable, and says what would be made', async () => {
    const { code, output } = await stranger.whatif([], signedIn)
    assert.equal(code, 2, output)
    assert.match(output, /^Identity what-if in tenant [0-9a-f-]{36}\n[\s\S]*Invoices/)
  })

  it('says how to sign in, and calls itself by its own name', async () => {
    const unsigned = await stranger.whatif([])
    assert.equal(unsigned.code, 1)
    assert.match(
      unsigned.output,
      /Nobody is signed in[\s\S]*azd auth login, or az login[\s\S]*IDENTITY_WHAT_IF_TOKEN/,
    )
    const help = await stranger.whatif(['--help'])
    assert.match(help.output, /^identity-what-if \[map\] \[options\]/)
    assert.doesNotMatch(help.output, /npm run/)
  })

  it('names the variable whose token says no tenant', async () => {
    const { code, output } = await stranger.whatif([], { ...signedIn, IDENTITY_WHAT_IF_TOKEN: 'eyJ' })
    assert.equal(code, 1)
    assert.match(output, /IDENTITY_WHAT_IF_TOKEN holds no access token that names a tenant[\s\S]*ms-graph/)
  })

  const emulate = async (name: string, answer: object) => {
    const file = join(stranger.bin, name)
    await writeFile(file, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`)
    await chmod(file, 0o755)
    return () => rm(file)
  }

  it('signs in as azd does, else as the Azure CLI does', {
    skip: process.platform === 'win32' && 'these emulators are shell scripts',
  }, async () => {
    const { IDENTITY_WHAT_IF_TOKEN: token = '', ...rest } = signedIn
    const later = new Date(Date.now() + 3_600_000).toISOString()
    const azure = { accessToken: token, expiresOn: later, expires_on: Math.trunc(Date.parse(later) / 1000) }
    const dropAz = await emulate('az', azure)
    const byAz = await stranger.whatif([], rest)
    // A token that Graph refuses: whoever is asked first counts.
    const dropAzd = await emulate('azd', { token: 'of-azd', expiresOn: later })
    const byAzd = await stranger.whatif([], { ...rest, AZURE_TENANT_ID: tenant.tenantId })
    const byToken = await stranger.whatif([], signedIn)
    await Promise.all([dropAz(), dropAzd()])
    assert.equal(byAz.code, 2, byAz.output)
    assert.match(byAzd.output, /401/)
    assert.equal(byToken.code, 2, byToken.output)
  })

  it('gives a hostile parameter file none of the tokens of the job', async () => {
    const names = ['IDENTITY_WHAT_IF_TOKEN', 'GITHUB_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'TITLE']
    const read = names.map((name) => `\${readEnvironmentVariable('${name}', 'none')}`).join(' ')
    await stranger.write({ 'main.bicepparam': `using 'main.bicep'\n\nparam title = '${read}'\n` })
    const secrets = Object.fromEntries(names.map((name) => [name, `value-of-${name}`]))
    const { output } = await stranger.whatif(['map'], secrets)
    await stranger.restore()
    assert.match(output, /withheld withheld withheld value-of-TITLE/)
  })

  it('gives a parameter file in a pipeline Azure’s names, those that are allowed and those of azd alone', async () => {
    const names = ['SLACK_WEBHOOK_URL', 'NPM_AUTH', 'DOCKER_AUTH_CONFIG', 'AZURE_THING', 'TITLE', 'STORED']
    const read = names.map((name) => `\${readEnvironmentVariable('${name}', 'none')}`).join(' ')
    await stranger.write({ 'main.bicepparam': `using 'main.bicep'\n\nparam title = '${read}'\n` })
    const dropAzd = await emulate('azd', { STORED: 'of-azd' })
    const values = Object.fromEntries(names.map((name) => [name, `of-${name}`]))
    const pipelines = [{ CI: 'true' }, { GITHUB_ACTIONS: 'true' }, { TF_BUILD: 'True' }]
    const maps = pipelines.map((more) =>
      stranger.whatif(['map', '--variable', 'TITLE'], { ...values, ...more }),
    )
    const laptop = await stranger.whatif(['map'], { ...values, CI: 'false' })
    for (const { output } of await Promise.all(maps))
      assert.match(output, /withheld withheld withheld of-AZURE_THING of-TITLE of-azd/)
    await dropAzd()
    await stranger.restore()
    assert.match(laptop.output, /of-SLACK_WEBHOOK_URL .* of-TITLE of-STORED/)
    const strange = await stranger.whatif(['map', '--variable', 'A=b'])
    assert.match(strange.output, /--variable A=b is not understood/)
  })

  it('prints nothing of a file outside of the repository', {
    skip: process.platform === 'win32' && 'the file is there on other systems only',
  }, async () => {
    const title = `loadTextContent('${'../'.repeat(30)}proc/self/environ')`
    await stranger.write({ 'main.bicepparam': `using 'main.bicep'\n\nparam title = ${title}\n` })
    const { code, output } = await stranger.whatif(['map'], signedIn)
    await stranger.restore()
    assert.match(output, /\/proc\/self\/environ: outside of the repository/)
    assert.doesNotMatch(output, /PATH=|HOME=/)
    assert.equal(code, 1)
  })

  it('writes JSON as its schema says, with and without differences', async () => {
    const schema = await json(join(stranger.packed, 'identity-what-if.schema.json'))
    const { output } = await stranger.whatif(['--format', 'json'], signedIn)
    validate(schema, JSON.parse(output))
    const folder = new URL('tests/scripts/whatif/golden/', ROOT)
    for (const file of await readdir(folder))
      if (file.endsWith('.json')) validate(schema, await json(new URL(file, folder)))
  })

  it('writes SARIF as its schema says, with the file and line of each resource', async () => {
    const schema = createRequire(import.meta.url).resolve('@microsoft/jest-sarif')
    const { output } = await stranger.whatif(['--format', 'sarif'], signedIn)
    const log: unknown = JSON.parse(output)
    validate(await json(join(schema, '../schemas/sarif-2.1.0-rtm.5.json')), log)
    assert.match(output, /"uri": "infra\/main\.bicep"\s+\},\s+"region": \{\s+"startLine": 5/)
  })

  it('takes what others write from the file of --desired, and refuses one that is not there or not right', async () => {
    const credential = { application: 'api', name: 'deployer', issuer: 'https://issuer.example' }
    const desired = join(stranger.folder, 'desired.json')
    await writeFile(desired, JSON.stringify({ federatedCredentials: [credential] }))
    const { output } = await stranger.whatif(['--desired', desired], signedIn)
    assert.match(output, /invoices\/deployer/)
    const absent = await stranger.whatif(['--desired', 'nowhere.json'], signedIn)
    assert.match(absent.output, /nowhere\.json is not there/)
    await writeFile(desired, '{"federatedCredentials":[{"name":"x"}]}')
    const wrong = await stranger.whatif(['--desired', desired], signedIn)
    assert.match(wrong.output, /cannot be used[\s\S]*application/)
    assert.deepEqual([absent.code, wrong.code], [1, 1])
  })
})
