import assert from 'node:assert/strict'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { findBicep } from '../../../scripts/bicep/compiler.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { ended, makeProject, type Project } from '../hooks.ts'
import { type Rehearsal, startRehearsal } from './rehearsal.ts'

const Output = z.looseObject({
  schemaVersion: z.literal(2),
  summary: z.looseObject({ result: z.string(), create: z.number() }),
  changes: z.array(z.looseObject({ action: z.string(), title: z.string() })),
})

const OTHER = `extension microsoftGraphV1

resource team 'Microsoft.Graph/groups@v1.0' existing = {
  uniqueName: 'known-team'
}

resource app 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: 'another-app'
  displayName: 'Another app'
  owners: { relationships: [team.id] }
}

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: app.appId
  displayName: 'Another app'
}

resource assigned 'Microsoft.Graph/appRoleAssignedTo@v1.0' = {
  resourceId: principal.id
  principalId: team.id
  appRoleId: '00000000-0000-0000-0000-000000000000'
}
`

describe('npm run whatif', { skip: withoutCompiler }, () => {
  let tenant: Rehearsal
  let project: Project
  let variables: Record<string, string>
  before(async () => {
    tenant = await startRehearsal()
    variables = await tenant.up()
    project = await makeProject()
    await project.setAzd({ token: await tenant.operatorToken('Olivia'), values: variables })
  })
  after(async () => {
    await Promise.all([tenant.stop(), project.remove()])
  })

  const BICEP = findBicep()?.path ?? ''
  const whatif = (args: string[], more: Record<string, string> = {}) =>
    ended(project.startAlone('whatif', { BICEP, DIRECTORY_PATIENCE_SECONDS: '5', ...more }, args))

  it('ends with 0 and one clear line after a deployment', async () => {
    const { code, output } = await whatif([])
    assert.match(output, /No changes\. The directory is as declared\./)
    assert.equal(code, 0)
    assert.deepEqual(tenant.writes(), [])
  })

  it('ends with 2 when something differs, and is coloured only where somebody looks or asks for it', async () => {
    const saved = tenant.save()
    for (const app of tenant.directory.applications) app.displayName = 'by hand'
    const plain = await whatif([])
    assert.equal(plain.code, 2)
    assert.ok(!plain.output.includes('\u001b['))
    const coloured = await whatif(['--fail-on', 'medium'], { FORCE_COLOR: '1' })
    assert.equal(coloured.code, 0)
    assert.ok(coloured.output.includes('\u001b['))
    saved.restore()
  })

  it('writes Markdown and JSON', async () => {
    assert.match(
      (await whatif(['--format', 'markdown'])).output,
      /^<!-- identity-what-if -->\n### Identity what-if: dev/,
    )
    const { output } = await whatif(['--format', 'json'])
    assert.equal(Output.parse(JSON.parse(output)).summary.result, 'none')
  })

  it('prints the map of the declared state without signing in', async () => {
    await project.setAzd({ values: variables })
    const { code, output } = await whatif(['--map'])
    await project.setAzd({ token: await tenant.operatorToken('Olivia'), values: variables })
    assert.equal(code, 0, output)
    assert.match(output, /^flowchart LR\n/)
    assert.doesNotMatch(output, /"[+−~] /)
  })

  it('prints the map from a fresh clone, where azd knows no environment or is not there', async () => {
    await project.setAzd({})
    const unselected = await whatif(['--map'])
    const without = await whatif(['--map'], { PATH: dirname(process.execPath) })
    const named = await whatif(['--map', '-e', 'prod'])
    await project.setAzd({ token: await tenant.operatorToken('Olivia'), values: variables })
    assert.match(unselected.output, /^flowchart LR\n[\s\S]*Expenses MCP server \(dev\)/)
    assert.match(unselected.output, /\[\["Microsoft Graph"\]\]:::api/)
    assert.deepEqual(without, unselected)
    assert.equal(named.code, 1, 'an environment that somebody names has to be there')
  })

  it('works for another project, which has no permissions.json', async () => {
    const folder = join(project.folder, 'other')
    await mkdir(folder)
    await cp(join(project.folder, 'infra/bicepconfig.json'), join(folder, 'bicepconfig.json'))
    const saved = tenant.save()
    const [group] = tenant.directory.groups
    assert.ok(group)
    Object.assign(group, { uniqueName: 'known-team', displayName: 'Known team' })
    await writeFile(join(folder, 'main.bicep'), OTHER)
    await writeFile(join(folder, 'main.bicepparam'), "using 'main.bicep'\n")
    const { code, output } = await whatif([
      '--parameters',
      join(folder, 'main.bicepparam'),
      '--format',
      'json',
    ])
    assert.equal(code, 2, output)
    const { changes } = Output.parse(JSON.parse(output))
    assert.deepEqual(
      changes.map(({ action, title }) => [action, title]),
      [
        ['create', 'Another app'],
        ['create', 'Another app'],
        ['create', 'Known team → Another app'],
      ],
    )
    assert.match(output, /"rule": "owner",\s+"reason": "Known team may change the object/)
    saved.restore()
    await rm(folder, { recursive: true })
  })

  it('gives a hostile parameter file neither tokens nor files of the job', async () => {
    const folder = join(project.folder, 'hostile')
    await mkdir(folder)
    const write = (title: string) =>
      writeFile(join(folder, 'main.bicepparam'), `using 'main.bicep'\nparam title = ${title}\n`)
    await writeFile(
      join(folder, 'main.bicep'),
      `${OTHER.replace("displayName: 'Another app'", 'displayName: title')}\n@description('Shown to people.')\nparam title string\n`,
    )
    await cp(join(project.folder, 'infra/bicepconfig.json'), join(folder, 'bicepconfig.json'))
    await write("readEnvironmentVariable('ACTIONS_ID_TOKEN_REQUEST_TOKEN')")
    const secret = 'a-token-of-the-job'
    const more = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret }
    const token = await whatif(['map', '--infra', folder], more)
    await write(`loadTextContent('${'../'.repeat(30)}proc/self/environ')`)
    const files = await whatif(['map', '--infra', folder], more)
    await rm(folder, { recursive: true })
    assert.match(token.output, /withheld/)
    assert.match(files.output, /environ: outside of the repository/)
    assert.doesNotMatch(token.output + files.output, new RegExp(`${secret}|PATH=`))
    assert.deepEqual([token.code, files.code], [0, 1])
  })

  it('names the missing right, ends with 1 and changes nothing', async () => {
    await project.setAzd({ token: await tenant.appToken(['Group.Read.All']), values: variables })
    const { code, output } = await whatif([])
    await project.setAzd({ token: await tenant.operatorToken('Olivia'), values: variables })
    assert.match(output, /Application\.Read\.All is missing/)
    assert.equal(code, 1)
    assert.deepEqual(tenant.writes(), [])
  })

  for (const [name, args, more, expected] of [
    ['an unknown format', ['--format', 'xml'], {}, /--format xml is not known/],
    [
      'a compiler that is not there',
      [],
      { BICEP: '/nowhere/bicep' },
      /BICEP=\/nowhere\/bicep is not a program/,
    ],
    [
      'no compiler at all',
      [],
      {
        BICEP: '',
        PATH: '',
        HOME: '/nowhere',
        USERPROFILE: '/nowhere',
        AZURE_ENV_NAME: 'dev',
        AZURE_SUBSCRIPTION_ID: '11111111-1111-4111-8111-111111111111',
        AZURE_TENANT_ID: '4f6c2b1e-9a57-4d0f-8c3d-5e1b7a902c64',
      },
      /No Bicep compiler found[\s\S]*az bicep install/,
    ],
    [
      'a parameter file that is not there',
      ['--parameters', 'infra/other.bicepparam'],
      {},
      /There is no infra\/other\.bicepparam/,
    ],
  ] satisfies [string, string[], Record<string, string>, RegExp][]) {
    it(`ends with 1 for ${name}, and says what helps`, async () => {
      const { code, output } = await whatif(args, more)
      assert.match(output, expected)
      assert.equal(code, 1)
    })
  }

  it('helps without azd', async () => {
    const { code, output } = await whatif(['--help'], { PATH: '' })
    assert.match(output, /--fail-on high\|medium\|any/)
    assert.equal(code, 0)
  })
})
