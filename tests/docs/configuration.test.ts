import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { transform } from 'esbuild'
import { endpointOf } from '../../app/config.ts'
import { loadDeclaration } from '../../app/declaration.ts'
import { withoutCompiler } from '../infra/deployments.ts'
import { CONFIGURATION, currentConfiguration, sourcesIn, variablesOf } from './configuration.ts'

const root = new URL('../../', import.meta.url)
const textOf = (path: string) => readFile(new URL(path, root), 'utf8')

/** Capitals in the code that nobody sets with azd or in a shell, and the file that says so, or whose they are. */
const ELSEWHERE: readonly [names: RegExp, why: string][] = [
  [/^CI$/, 'set by build services; explained at AZURE_PRINCIPAL_TYPE'],
  [/^(GITHUB|ACTIONS|TF)_\w+$/, 'set by GitHub Actions and Azure Pipelines'],
  [/^(INPUT_\w+|REPORTS)$/, '.github/actions/identity-what-if/action.yml'],
  [
    /^(IDENTITY_REPORTS|IDENTITY_EXIT_CODE|PREVIEW_FILE|PULL_REQUEST|HEAD_SHA)$/,
    '.github/workflows/whatif.yml',
  ],
  [/^(GH_TOKEN|RUN_URL)$/, '.github/workflows/drift.yml'],
  [/^AZURE_REVIEW_CLIENT_ID$/, '.github/workflows/whatif.yml'],
  [/^AZURE_DEPLOY_CLIENT_ID$/, '.github/workflows/deploy.yml'],
  [/^ENTRA_CLIENT_SECRET_ID$/, 'scripts/identity/dev-credential.ts'],
  [/^IDENTITY_HEADER$/, 'scripts/emulators/server-environment.ts'],
  [/^(PATH|HOME|USERPROFILE|TEMP|TMP|TMPDIR)$/, 'set by the operating system'],
  [/^(GCONV_PATH|REQUESTS_CA_BUNDLE|AUTHORITY_HOST|CONFIG_DIR)$/, 'refused by scripts/bicep/compiler.ts'],
  [/^(APPLICATION\w+|DOTNET_\w+|NODE_COMPILE_CACHE)$/, 'given to a library or program, never read'],
  [/^(EAI|ERR|HPE)_\w+$|^(PARSE|REQUEST_SEND)_ERROR$/, 'codes of errors'],
  [/^(STATUS_CODES|ROOT_CONTEXT|X_OK|(NEGATIVE|POSITIVE)_INFINITY)$/, 'constants of Node and of libraries'],
  [/^(CHECK_CREDENTIAL|NOT_INSTALLED|NO_RECORD)$/, 'keys of a table in scripts/emulators/entra/refusals.ts'],
]

const IS_NAME = /^[A-Z][A-Z0-9_]+$/

/**
 * The variables of a source: what is taken from an environment, and whatever else looks like one, with an underscore, and
 * is no constant of the file's own or of another one.
 */
async function variablesIn(source: string): Promise<string[]> {
  // No comments.
  const { code } = await transform(source, { loader: 'ts', legalComments: 'none' })
  const matches = (pattern: RegExp) => [...code.matchAll(pattern)].map(([, name = '']) => name)
  const listed = (pattern: RegExp) =>
    matches(pattern).flatMap((names) => names.split(',').map((name) => name.split(/[:=]/)[0]?.trim() ?? ''))
  const constants = new Set([
    ...matches(/\b(?:const|class) ([A-Z][A-Z0-9_]*)\b/g),
    ...matches(/\bimport \* as (\w+)/g).flatMap((name) => matches(new RegExp(`\\b${name}\\.(\\w+)`, 'g'))),
    ...listed(/\b(?:import|export) (?:\w+, )?\{([^{}]*)\}/g),
  ])
  return [
    ...matches(/\benv\??\.([A-Z][A-Z0-9_]+)\b/g),
    ...matches(/\b(?:env\[|portOf\(|valueFor\()["']([A-Z][A-Z0-9_]+)["']/g),
    // Fields of a schema.
    ...matches(/^ {2}([A-Z][A-Z0-9_]+): (?:z\.|\w+\()/gm),
    ...listed(/\{([^{}]*)\}\s*=\s*(?:process\.)?env\b/g).filter((name) => IS_NAME.test(name)),
    ...matches(/(?<![\w$])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w$])/g).filter((name) => !constants.has(name)),
  ]
}

/** Every variable that anything reads, by name. */
async function readVariables(): Promise<Set<string>> {
  const files = (await readdir(new URL('infra/', root))).filter((name) => name.endsWith('.bicepparam'))
  const parameterFiles = await Promise.all(files.map((name) => textOf(`infra/${name}`)))
  const sources = await sourcesIn('app', 'scripts')
  return new Set([
    ...(await Promise.all([...sources.values()].map(variablesIn))).flat(),
    ...parameterFiles.flatMap((text) =>
      [...text.matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, name = '']) => name),
    ),
  ])
}

/** Names in the first column of the tables. */
const rowsOf = (page: string): Set<string> =>
  new Set(
    page
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name)),
  )

async function withoutRow(): Promise<string[]> {
  const rows = rowsOf(await textOf('docs/configuration.md'))
  return [...(await readVariables())].filter((name) => !rows.has(name))
}

describe('docs/configuration.md', () => {
  it('says what the code says today', { skip: withoutCompiler }, async () => {
    assert.ok(
      (await readFile(CONFIGURATION, 'utf8')) === (await currentConfiguration()),
      'docs/configuration.md is not current. Run: npx node tests/docs/configuration.ts',
    )
  })

  it('has a row for every variable that anything reads, unless somebody else sets it', async () => {
    const strange = (await withoutRow()).filter((name) => !ELSEWHERE.some(([names]) => names.test(name)))
    assert.deepEqual(
      strange,
      [],
      `Describe ${strange} beside the code that reads it, then: npx node tests/docs/configuration.ts`,
    )
  })

  it('leaves out only what is read, and is named where the reason says', async () => {
    const left = await withoutRow()
    for (const [names, why] of ELSEWHERE) {
      const meant = left.filter((name) => names.test(name))
      assert.ok(meant.length > 0, `${names} stands for nothing: take it off the list`)
      const file = /\S+\.(?:ts|yml|md)$/.exec(why)?.[0]
      if (!file) continue
      const text = await textOf(file)
      for (const name of meant) assert.ok(text.includes(name), `${file}: ${name}`)
    }
  })

  it('is compared with what is read in every way', async () => {
    const read = await readVariables()
    for (const name of ['PORT', 'BICEP', 'DATA_DIR', 'CI', 'COSMOS_KEY', 'GITHUB_REPOSITORY', 'NO_PROXY'])
      assert.ok(read.has(name), name)
    const way = async (source: string) => assert.ok((await variablesIn(source)).includes('FRESH'), source)
    await way('const fresh = process.env.FRESH')
    await way("const fresh = process.env['FRESH']")
    await way('const { PATH, FRESH = 1 } = process.env')
    await way('const { FRESH: fresh } = env')
    await way('const Environment = z.object({\n  FRESH: z.string(),\n})')
    assert.deepEqual(await variablesIn("import { AN_ID } from 'x'\nconst MY_ID = AN_ID // YOUR_ID"), [])
    assert.deepEqual(await variablesIn("read('YOUR_ID')"), ['YOUR_ID'])
  })

  it('has no row for what nothing reads and no deployment puts out', async () => {
    const page = await textOf('docs/configuration.md')
    const endpoints = loadDeclaration().downstreamApis.map((api) => endpointOf(api).variable)
    const outputs = outputsIn(await textOf('infra/main.bicep'))
    const known = new Set([...(await readVariables()), ...endpoints, ...outputs])
    for (const name of rowsOf(page)) assert.ok(known.has(name), name)
  })

  it('shows no value for a secret', async () => {
    const page = await textOf('docs/configuration.md')
    const secrets = page
      .split('\n')
      .filter((line) => /^\| `\w*(?:KEY|SECRET|CONNECTION_STRING)` \|/.test(line))
    assert.equal(secrets.length, 3)
    for (const row of secrets) assert.equal(row.split(' | ')[1], 'none', row)
  })
})

const outputsIn = (template: string) => [...template.matchAll(/^output (\w+)/gm)].map(([, name = '']) => name)

describe('A parameter of the deployment', () => {
  it('stands for the variable that it is made of, by whatever way', () => {
    const text = `
param a = readEnvironmentVariable('A')
var inner = readEnvironmentVariable('B', '')
// a comment names readEnvironmentVariable('C')
var outer = int(any(empty(inner) ? '1' : inner))
param b = outer
var other = readEnvironmentVariable('D', '')
param d = any(length(other) < outer ? fail('D') : map(other, a => a.inner))
param fixed = 'x'
`
    assert.deepEqual(
      [...variablesOf(text)],
      [
        ['a', 'A'],
        ['b', 'B'],
        ['d', 'D'],
      ],
    )
  })
})
