import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { generate } from 'selfsigned'
import { z } from 'zod'
import { findBicep } from '../../../scripts/bicep/compiler.ts'
import { integrityOf } from '../../../scripts/pack-whatif.ts'
import { startDirectory, withoutCompiler } from '../graph/directory-harness.ts'
import { type GitHub, startGitHub } from './github-emulator.ts'
import { makeStranger, type Stranger } from './packed.ts'
import { action, commandsIn, FOLDER, type Use, type Used, use } from './runner.ts'

const REPOSITORY = 'contoso/invoices'
const [HEAD, BASE] = ['a'.repeat(40), 'b'.repeat(40)]
const BOT = 'github-actions[bot]'
const TOKENS = { ghs_write: 'write', ghs_read: 'read', ghs_none: 'none' } as const
const MARK = '<!-- identity-what-if of infra -->'
const CASES = fileURLToPath(new URL('../../../../shared/cases/templates/', import.meta.url))
const pull = (from: string | null = REPOSITORY) => ({
  payload: {
    pull_request: {
      number: 7,
      head: { sha: HEAD, repo: from && { full_name: from } },
      base: { sha: BASE, repo: { full_name: REPOSITORY } },
    },
  },
})
const risky = `extension microsoftGraphV1

resource api 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: 'invoices'
  displayName: 'Invoices'
  signInAudience: 'AzureADMultipleOrgs'
}
`

describe('action.yml', () => {
  it('gives inputs to bash through variables alone, in every system and without another action', () => {
    for (const { run, if: condition = '' } of action.runs.steps) {
      assert.doesNotMatch(run, /\$\{\{/)
      assert.equal(run.trim().split('\n').length, 1)
      assert.doesNotMatch(condition, /runner\.os/)
    }
  })

  it('uses every input and names the version of the compiler', () => {
    const text = JSON.stringify(action.runs)
    for (const name of Object.keys(action.inputs)) assert.ok(text.includes(`inputs.${name}`), name)
    assert.match(action.inputs.compiler?.default ?? '', /^v\d+\.\d+\.\d+$/)
  })

  it('runs nothing that bash 3, Git for Windows or macOS does not have', async () => {
    const text = await readFile(join(FOLDER, 'install.sh'), 'utf8')
    assert.doesNotMatch(
      text,
      /\$\{\w+(,,|\^\^|@)|declare -A|mapfile|readarray|sha512sum|readlink|realpath|&>>/,
    )
  })
})

const skip =
  withoutCompiler || (process.platform === 'win32' && 'the az of this test is a script for the shell of Unix')

describe('The action', { skip }, () => {
  let stranger: Stranger
  let github: GitHub
  let tenant: Awaited<ReturnType<typeof startDirectory>>
  let integrity: string
  let secret: string
  before(async () => {
    ;[stranger, tenant, github] = await Promise.all([
      makeStranger(),
      startDirectory(),
      startGitHub(REPOSITORY, TOKENS),
    ])
    integrity = await integrityOf(stranger.tarball)
    secret = await tenant.operatorToken('Olivia')
    const az = join(stranger.bin, 'az')
    // https://learn.microsoft.com/cli/azure/bicep#az-bicep-install: below the folder of the Azure CLI.
    await writeFile(
      az,
      `#!/bin/sh
[ "$*" = "bicep install --version v0.49.2" ] || { echo "Nobody is signed in to az: $*" >&2; exit 1; }
mkdir -p "$AZURE_CONFIG_DIR/bin" && ln -sf "${findBicep()?.path}" "$AZURE_CONFIG_DIR/bin/bicep"
`,
    )
    await chmod(az, 0o755)
  })
  after(() => Promise.all([stranger.remove(), tenant.close(), github.close()]))
  beforeEach(async () => {
    github.reset()
    await stranger.restore()
  })

  const used = (more: Partial<Omit<Use, 'with' | 'env'>> & { with?: Use['with']; env?: Use['env'] } = {}) =>
    use({
      event: pull(),
      workspace: stranger.project,
      temp: stranger.folder,
      token: 'ghs_write',
      api: github.url,
      ...more,
      with: { package: stranger.tarball, integrity, ...more.with },
      env: {
        ...withoutBicep(stranger.variables),
        AZURE_CONFIG_DIR: join(stranger.folder, 'azure'),
        GRAPH_ENDPOINT: tenant.graphUrl,
        IDENTITY_WHAT_IF_TOKEN: secret,
        ...more.env,
      },
    })
  const withoutBicep = ({ BICEP: _, ...rest }: Record<string, string>) => rest
  const assertHides = ({ log, summary }: Used, ...secrets: string[]) => {
    for (const text of [log, summary, ...github.comments.map(({ body }) => body)])
      for (const one of secrets) assert.ok(!text.includes(one), text)
  }

  it('writes the summary, the outputs, the reports and one comment, and writes that anew', async () => {
    github.comments.push({ id: 1, body: 'Looks good', user: { login: 'somebody' } })
    github.comments.push({ id: 2, body: `${MARK}\nnot ours`, user: { login: 'somebody' } })
    const first = await used()
    assert.equal(first.code, 0, first.log)
    assert.match(first.summary, /^<!-- identity-what-if -->\n### Identity what-if\n/)
    assert.deepEqual(
      [first.outputs['exit-code'], first.outputs.result, first.outputs.create, first.outputs.high],
      ['0', 'changes', '2', '0'],
    )
    for (const name of Object.keys(action.outputs)) assert.notEqual(first.outputs[name], '', name)
    for (const end of ['json', 'sarif', 'md'])
      assert.ok(existsSync(join(first.outputs.reports ?? '', `identity-what-if.${end}`)), end)
    const second = await used()
    assert.equal(second.code, 0, second.log)
    assert.deepEqual(
      github.comments.map(({ id, user }) => [id, user.login]),
      [
        [1, 'somebody'],
        [2, 'somebody'],
        [3, BOT],
      ],
    )
    assert.equal(github.comments[1]?.body, `${MARK}\nnot ours`)
    assert.ok(github.comments[2]?.body.startsWith(`${MARK}\n<!-- identity-what-if -->\n### Identity what-if`))
    assert.match(github.comments[2]?.body ?? '', new RegExp(`<sub>${HEAD}</sub>$`))
    assert.match(github.calls.at(-1) ?? '', /^PATCH .*\/issues\/comments\/3 200$/)
    assertHides(second, 'ghs_write', secret)
  })

  it('says the same in the summary where a fork may not comment, and why one without sign-in sees nothing', async () => {
    const signedIn = await used({ event: pull('outsider/invoices'), token: 'ghs_read' })
    assert.equal(signedIn.code, 0, signedIn.log)
    assert.match(signedIn.summary, /The directory differs/)
    assert.equal(signedIn.outputs.create, '2')
    assert.match(commandsIn(signedIn.log).join(), /^::notice title=identity-what-if::No comment\./)
    for (const from of ['outsider/invoices', null]) {
      const env = { IDENTITY_WHAT_IF_TOKEN: '' }
      const { code, summary, outputs } = await used({ event: pull(from), token: 'ghs_read', env })
      assert.equal(code, 1)
      assert.equal(outputs['exit-code'], '1')
      assert.match(summary, /It could not be told[\s\S]*comes from a fork[\s\S]*Nobody is signed in/)
    }
    assert.deepEqual(github.comments, [])
  })

  it('ends with 2 when the level is reached, and with 0 where that shall not fail', async () => {
    await stranger.write({ 'main.bicep': risky })
    const failing = await used()
    assert.equal(failing.code, 2, failing.log)
    assert.deepEqual([failing.outputs['exit-code'], failing.outputs.high], ['2', '1'])
    github.calls.length = 0
    const tolerant = await used({ with: { fail: 'false', comment: 'false' } })
    assert.deepEqual([tolerant.code, tolerant.outputs['exit-code']], [0, '2'])
    assert.deepEqual(github.calls, [`GET /repos/${REPOSITORY}/contents/infra/identity-exceptions.json 404`])
    const wrong = await used({ with: { level: 'huge' } })
    assert.equal(wrong.code, 1)
    assert.match(wrong.summary, /--fail-on huge is not known[\s\S]*identity-what-if --help/)
  })

  it('replaces what it said of an earlier commit when the newest cannot be read', async () => {
    github.comments.push({ id: 1, body: `${MARK}\nNo changes.`, user: { login: BOT } })
    await stranger.write({ 'main.bicep': 'resource nonsense' })
    const { code, log } = await used()
    assert.equal(code, 1)
    assert.ok(commandsIn(log).some((line) => line.startsWith('::error title=identity-what-if::')))
    assert.equal(github.comments.length, 1)
    assert.match(github.comments[0]?.body ?? '', /It could not be told[\s\S]*BCP/)
  })

  it('gives a hostile parameter file no token of the job', async () => {
    const names = ['IDENTITY_WHAT_IF_TOKEN', 'INPUT_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'HARMLESS']
    const read = names.map((name) => `\${readEnvironmentVariable('${name}', 'none')}`).join(' ')
    await stranger.write({ 'main.bicepparam': `using 'main.bicep'\n\nparam title = '${read}'\n` })
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'the-right-to-sign-in', HARMLESS: secret }
    const outcome = await used({ env })
    assert.equal(github.comments.length, 1)
    assertHides(outcome, secret, 'ghs_write', 'the-right-to-sign-in')
  })

  it('gives a parameter file Azure’s names and those of its input alone, and nothing that the checkout has stored', async () => {
    const names = ['SLACK_WEBHOOK_URL', 'NPM_AUTH', 'AZURE_THING', 'TITLE', 'OTHER', 'STORED']
    const read = names.map((name) => `\${readEnvironmentVariable('${name}', 'none')}`).join(' ')
    await stranger.write({ 'main.bicepparam': `using 'main.bicep'\n\nparam title = '${read}'\n` })
    const azd = join(stranger.bin, 'azd')
    await writeFile(azd, `#!/bin/sh\necho '{"STORED":"of-the-checkout"}'\n`)
    await chmod(azd, 0o755)
    const given = names.slice(0, -1)
    const env = Object.fromEntries(given.map((name) => [name, `of-${name}`]))
    const outcome = await used({ env, with: { variables: 'TITLE, OTHER' } })
    await rm(azd)
    assert.match(outcome.summary, /withheld withheld of-AZURE_THING of-TITLE of-OTHER none/)
    assertHides(outcome, 'of-SLACK_WEBHOOK_URL', 'of-NPM_AUTH', 'of-the-checkout')
  })

  it('reads no file outside of the repository for a hostile template', async () => {
    await writeFile(join(stranger.folder, 'token-cache.json'), '{"secret":"left-by-a-sign-in"}')
    await stranger.write({
      'main.bicep': risky.replace("'Invoices'", "loadTextContent('../../token-cache.json')"),
    })
    const outcome = await used()
    assert.equal(outcome.code, 1, outcome.log)
    assert.match(outcome.summary, /outside of the repository/)
    assertHides(outcome, 'left-by-a-sign-in')
  })

  it('lets no name from the template become a command of the runner', async () => {
    await stranger.write({
      'main.bicepparam': `using 'main.bicep'\n\nparam title = '''\n::error::x\n::add-path::/evil\n##[add-path]/evil'''\n`,
    })
    const { log } = await used()
    assert.deepEqual(commandsIn(log), [])
  })

  it('accepts exceptions of the base branch only', async () => {
    await stranger.write({ 'main.bicep': risky })
    const own = JSON.stringify({ exceptions: [{ nonsense: true }] })
    await stranger.write({ 'identity-exceptions.json': own })
    const ignored = await used()
    assert.equal(ignored.code, 2, ignored.log)
    github.files.set(`${BASE} infra/identity-exceptions.json`, own)
    const ofBase = await used()
    assert.equal(ofBase.code, 1)
    assert.match(ofBase.summary, /identity-exceptions\.json cannot be used/)
    await rm(join(stranger.project, 'infra/identity-exceptions.json'))
  })

  it('accepts exceptions of the checkout where nobody has to review it any more, and of no other event', async () => {
    await stranger.write({
      'main.bicep': risky,
      'identity-exceptions.json': '{"exceptions":[{"nonsense":true}]}',
    })
    const on = async (name: string, more: Use['with'] = {}) =>
      (await used({ event: { name, payload: {} }, with: more })).code
    // 1: the file counts, and cannot be used.
    for (const name of ['push', 'schedule', 'workflow_dispatch']) assert.equal(await on(name), 1, name)
    for (const name of ['issue_comment', 'merge_group', 'workflow_run', 'repository_dispatch'])
      assert.equal(await on(name), 2, name)
    assert.equal(await on('merge_group', { exceptions: 'infra/identity-exceptions.json' }), 1)
    await rm(join(stranger.project, 'infra/identity-exceptions.json'))
  })

  it('refuses pull_request_target', async () => {
    const { code, summary } = await used({ event: { name: 'pull_request_target', ...pull() } })
    assert.equal(code, 1)
    assert.match(summary, /pull_request_target gives what a pull request brings/)
    assert.deepEqual(github.calls, [])
  })

  it('reads a template that somebody has written', {
    skip: existsSync(CASES) ? false : 'the small templates of ../shared are not here',
  }, async () => {
    const folder = join(stranger.project, 'foreign')
    await cp(join(CASES, '01-loops-in-properties'), folder, { recursive: true })
    const { code, log, outputs } = await used({ with: { folder: 'foreign', fail: 'false' } })
    assert.equal(code, 0, log)
    assert.notEqual(outputs.create, '0')
    assert.match(github.comments[0]?.body ?? '', /^<!-- identity-what-if of foreign -->\n/)
  })

  describe('unpacks its program', () => {
    const never = async (input: Use['with'], said: RegExp, env = {}) => {
      const { code, log, outputs, summary } = await used({ with: input, env })
      assert.equal(code, 1, log)
      assert.match(log, said)
      assert.deepEqual([outputs['exit-code'], summary, github.calls], ['1', '', []])
    }

    it('only if it is the expected one', async () => {
      await never(
        { integrity: `sha512-${'A'.repeat(86)}==` },
        /::error .*is not the expected one: it is sha512-/,
      )
      await never({ integrity: 'sha1-x' }, /must begin with sha512-/)
      await never({ package: '' }, /The input package is empty/)
      await never({ package: 'nowhere.tgz' }, /The package is not there/)
      await never({ package: 'http://127.0.0.1:1/x.tgz' }, /The package is not there/)
    })

    it('from an https address, whose certificate counts, and asks nothing of GitHub for a push', async (test) => {
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
        keySize: 2048,
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
      })
      const authority = join(stranger.folder, 'authority.pem')
      await writeFile(authority, cert)
      const tarball = await readFile(stranger.tarball)
      const server = createServer({ cert, key }, (request, response) => {
        // As a release does: another host has the file.
        if (request.url === '/moved.tgz') response.writeHead(302, { location: '/package.tgz' }).end()
        else if (request.url === '/unsafe.tgz')
          response.writeHead(302, { location: 'http://x.example/' }).end()
        else response.end(tarball)
      }).listen(0, 'localhost')
      test.after(() => {
        server.closeAllConnections()
        server.close()
      })
      await once(server, 'listening')
      const { port } = z.object({ port: z.number() }).parse(server.address())
      const from = (path: string) => ({ package: `https://localhost:${port}/${path}` })
      const trusted = { CURL_CA_BUNDLE: authority }
      await never(from('unsafe.tgz'), /cannot be downloaded/, trusted)
      await never(from('moved.tgz'), /cannot be downloaded/)
      const { code, log } = await used({ with: from('moved.tgz'), env: trusted, event: undefined })
      assert.equal(code, 0, log)
      assert.deepEqual(github.calls, [])
    })
  })
})
