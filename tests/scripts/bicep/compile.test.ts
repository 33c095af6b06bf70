import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { type Compilation, compile } from '../../../scripts/bicep/compile.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'

const TEMPLATE = `targetScope = 'subscription'
@minLength(3)
param title string
param isOpen bool = false
param tags string[] = []
output said string = '\${title} \${isOpen} \${join(tags, '+')}'
`
const GROUP = `param title string = 'x'
output said string = '\${resourceGroup().name} \${title}'
`
const read = (path: string) => `output said string = loadTextContent(${path})\n`
const SECRET = 'a-token-of-the-job'

describe('A template is compiled', { skip: withoutCompiler }, () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'compile-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** In a repository of its own; what its output `said` says. */
  async function said(files: Record<string, string>, options: Partial<Compilation> = {}): Promise<string> {
    const root = await mkdtemp(join(folder, 'repository-'))
    await mkdir(join(root, '.git'))
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      if (text.startsWith('->')) await symlink(text.slice(2), join(root, name))
      else await writeFile(join(root, name), text)
    }
    const { written } = await compile({
      infra: join(root, 'infra'),
      environment: {},
      subscriptionId: '11111111-1111-4111-8111-111111111111',
      tenantId: '22222222-2222-4222-8222-222222222222',
      ...options,
    })
    return z.object({ outputs: z.object({ said: z.string() }) }).parse(written.snapshot).outputs.said
  }
  const infra = (main: string, parameters = "using 'main.bicep'\n") => ({
    'infra/main.bicep': main,
    'infra/main.bicepparam': parameters,
  })

  it('with values of a command line over those of its file, each of the type that the template wants', async () => {
    const files = infra(TEMPLATE, "using 'main.bicep'\nparam title = 'file'\nparam isOpen = false\n")
    const values = { title: '1234', isOpen: 'True', tags: '["a","b"]' }
    assert.equal(await said(files, { values }), '1234 True a+b')
  })

  it('with azd’s form of a parameter file, and values over it', async () => {
    const text = JSON.stringify({
      parameters: { title: { value: `\${TITLE=usual}` }, isOpen: { value: `\${OPEN}` } },
    })
    const files = { 'infra/main.bicep': TEMPLATE, 'infra/main.parameters.json': text }
    const parameters = 'main.parameters.json'
    assert.equal(await said(files, { parameters }), 'usual False ')
    const environment = { TITLE: 'other', OPEN: 'true' }
    assert.equal(await said(files, { parameters, environment, values: { tags: '["a"]' } }), 'other True a')
  })

  it('without a parameter file', async () => {
    const files = { 'infra/main.bicep': TEMPLATE }
    assert.equal(await said(files, { parameters: 'main.bicep', values: { title: 'abc' } }), 'abc False ')
  })

  it('for the resource group that is named', async () => {
    assert.equal(await said(infra(GROUP), { resourceGroup: 'rg-a' }), 'rg-a x')
    assert.equal(await said(infra(GROUP), { environment: { AZURE_RESOURCE_GROUP: 'rg-b' } }), 'rg-b x')
  })

  const main = { parameters: 'main.bicep' }
  const refusals: [
    why: string,
    files: Record<string, string>,
    options: Partial<Compilation>,
    said: RegExp,
  ][] = [
    [
      'a parameter that it does not have',
      infra(TEMPLATE),
      { values: { colour: 'red' } },
      /has no parameter colour\. It has: title, isOpen, tags\./,
    ],
    [
      'the same without a file',
      { 'infra/main.bicep': TEMPLATE },
      { ...main, values: { a: '' } },
      /no parameter a\./,
    ],
    [
      'a value that is missing',
      { 'infra/main.bicep': TEMPLATE },
      main,
      /missing an assignment.*"title"[\s\S]*--set name=value/,
    ],
    ['a value that is missing in the file', infra(TEMPLATE), {}, /main\.bicepparam\(1,7\): BCP258 .*"title"/],
    [
      'a value that is too short',
      { 'infra/main.bicep': TEMPLATE },
      { ...main, values: { title: 'a' } },
      /title: .*minimum allowable length is 3/,
    ],
    [
      'a value of another type',
      infra(TEMPLATE),
      { values: { title: 'abc', isOpen: 'perhaps' } },
      /isOpen is of type bool, and "perhaps" is not/,
    ],
    [
      'a resource group where it takes none',
      infra(TEMPLATE),
      { values: { title: 'abc' }, resourceGroup: 'rg' },
      /deployed to a subscription: it takes no --resource-group/,
    ],
    ['a file that is not there', {}, {}, /main\.bicepparam does not compile[\s\S]*no such file/],
    [
      'an error in it',
      infra('output said string = nothing\n'),
      {},
      /main\.bicep\(1,22\): BCP057 .*"nothing" does not exist(?![\s\S]*--set)/,
    ],
  ]
  for (const [why, files, options, expected] of refusals)
    it(`but not with ${why}`, () => assert.rejects(said(files, options), expected))

  it('with modules and files from anywhere in its repository', async () => {
    const module =
      "module one '../shared/one.bicep' = {}\noutput said string = loadTextContent('../shared/a.txt')\n"
    const files = { ...infra(module), 'shared/one.bicep': '', 'shared/a.txt': 'content' }
    assert.equal(await said(files), 'content')
  })

  const up = '../'.repeat(30)
  const outside: [why: string, files: Record<string, string>][] = [
    ['the environment of the compiler', infra(read(`'${up}proc/self/environ'`))],
    ['the environment of its caller', infra(read(`'${up}proc/${process.pid}/environ'`))],
    ['a path that is put together', infra(`var dots = '..'\n${read(`'\${dots}/${up}etc/hostname'`)}`)],
    ['a link', { ...infra(read("'a.txt'")), 'infra/a.txt': '->/etc/hostname' }],
    [
      'what a checkout keeps in it',
      { ...infra(read("'../.git/config'")), '.git/config': 'AUTHORIZATION: basic x' },
    ],
    ['a linked folder', { ...infra(read("'etc/hostname'")), 'infra/etc': '->/etc' }],
    [
      'a link that is called like a configuration',
      { ...infra(read("'x/bicepconfig.json'")), 'infra/x/bicepconfig.json': '->/etc/hostname' },
    ],
    [
      'a module',
      {
        ...infra("module one 'one.bicep' = {}\noutput said string = 'x'\n"),
        'infra/one.bicep': read(`'${up}etc/hostname'`),
      },
    ],
    [
      'the parameter file',
      infra(TEMPLATE, `using 'main.bicep'\nparam title = loadTextContent('${up}etc/hostname')\n`),
    ],
  ]
  for (const [why, files] of outside)
    it(
      `but not with a file outside of its repository, through ${why}`,
      {
        skip: process.platform === 'win32' && 'these files are there on other systems only',
      },
      () =>
        assert.rejects(said(files), (error: Error) => {
          assert.match(error.message, /outside of the repository/)
          assert.doesNotMatch(error.message, /PATH=|HOME=/)
          return true
        }),
    )

  it('with the variables that its parameter file names, and without those that are called like a credential', async () => {
    const environment = { TITLE: 'Invoices', MY_TOKEN: SECRET, ODD: `ghp_${SECRET}`, UNNAMED: SECRET }
    const names = ['TITLE', 'MY_TOKEN', 'ODD', 'ABSENT']
    const text = names.map((name) => `\${readEnvironmentVariable('${name}', 'none')}`).join(' ')
    const files = infra(TEMPLATE, `using 'main.bicep'\nparam title = '${text}'\n`)
    assert.equal(await said(files, { environment }), 'Invoices withheld withheld none False ')
  })

  const list = (call: string) => infra(`output said string = join(map(${call}, one => one.baseName), '+')\n`)
  it('with the names in a folder of its repository', async () => {
    const files = {
      ...list("loadDirectoryFileInfo('../texts', '*.txt')"),
      'texts/a.txt': '',
      'texts/b.txt': '',
    }
    assert.equal(await said(files), 'a.txt+b.txt')
  })

  it('but not with a module that is missing, which the compiler names', () =>
    assert.rejects(said(infra("module one 'nowhere.bicep' = {}\n")), /BCP091/))

  const listings: [why: string, files: Record<string, string>][] = [
    ['by its path', list("loadDirectoryFileInfo('../../..')")],
    ['of what a checkout keeps in it', list("loadDirectoryFileInfo('../.git')")],
    ['by a path that is put together', list(`loadDirectoryFileInfo('..\${'/..'}/..')`)],
    ['by lines of their own', list("sys.loadDirectoryFileInfo /* a */ (\n'../../..')")],
    ['by a pattern', list("loadDirectoryFileInfo('.', '../../*')")],
    ['through a link', { ...list("loadDirectoryFileInfo('etc')"), 'infra/etc': '->/etc' }],
    [
      'in a module',
      {
        ...infra("module one 'one.bicep' = {}\n"),
        'infra/one.bicep': list("loadDirectoryFileInfo('/')")['infra/main.bicep'],
      },
    ],
  ]
  for (const [why, files] of listings)
    it(`but not with the names in a folder elsewhere, ${why}`, () =>
      assert.rejects(said(files), /loadDirectoryFileInfo may list a folder that is outside/))

  describe('in a folder whose configuration lies outside of the repository', () => {
    const CONFIGURATION = JSON.stringify({ analyzers: { core: { verbose: false } } })
    before(() => writeFile(join(folder, 'bicepconfig.json'), CONFIGURATION))
    after(() => rm(join(folder, 'bicepconfig.json')))

    it('as it says', async () => {
      assert.equal(await said({ ...infra(read("'a.txt'")), 'infra/a.txt': 'text' }), 'text')
    })
    it('but without reading it', async () => {
      await assert.rejects(said(infra(read("'../../bicepconfig.json'"))), /outside of the repository/)
      const together = `var end = 'json'\n${read(`'../../bicepconfig.\${end}'`)}`
      await assert.rejects(said(infra(together)), /outside of the repository/)
    })
    it('but not with one that is nowhere above it', async () => {
      const other = join(folder, 'other')
      await mkdir(other)
      await writeFile(join(other, 'bicepconfig.json'), CONFIGURATION)
      await assert.rejects(said(infra(read("'../../other/bicepconfig.json'"))), /outside of the repository/)
    })
  })

  const STEERING = [
    ...[
      'PATH',
      'Path',
      'HOME',
      'TMPDIR',
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'DYLD_INSERT_LIBRARIES',
      'https_proxy',
    ],
    ...[
      'DOTNET_STARTUP_HOOKS',
      'COMPlus_EnableDiagnostics',
      'CORECLR_PROFILER_PATH',
      'BICEP_TRACING_ENABLED',
    ],
    ...[
      'NODE_OPTIONS',
      'SSL_CERT_FILE',
      'AZURE_CONFIG_DIR',
      'PYTHONPATH',
      'AZURE_AUTHORITY_HOST',
      'BASH_ENV',
    ],
  ]
  for (const name of STEERING)
    it(`but not with ${name}, which steers programs`, async () => {
      const title = `readEnvironmentVariable('${name}', 'none')`
      const files = infra(TEMPLATE, `using 'main.bicep'\nparam title = ${title}\n`)
      const options = { environment: { [name]: '/of/the/checkout' } }
      await assert.rejects(said(files, options), new RegExp(`may not read ${name}: `))
    })
})
