import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, readFile, rm } from 'node:fs/promises'
import { basename, delimiter, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startDirectory, withoutCompiler } from '../scripts/graph/directory-harness.ts'
import { makeStranger, type Stranger } from '../scripts/package/packed.ts'
import { block, blocksBeginning } from './blocks.ts'

const PAGE = new URL('../../docs/whatif.md', import.meta.url)
const GOLDEN = new URL('../scripts/whatif/golden/consent-widened.txt', import.meta.url)
const page = await readFile(PAGE, 'utf8')
const laptop = block('docs/whatif.md', 'npx -y --package').text
const lines = block('docs/whatif.md', 'identity-what-if --infra infra').text.split('\n')

const versionOf = (node: string) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
const file = process.platform === 'win32' ? 'node.exe' : 'node'
const nodes = [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)]
  .map((folder) => join(folder, file))
  .filter(existsSync)
/** The folder of npx, which the first `node` on PATH runs. */
const npx = (process.env.PATH ?? '').split(delimiter).find((folder) => existsSync(join(folder, 'npx')))

it('docs/whatif.md begins with a report as it is', async () => {
  const golden = (await readFile(GOLDEN, 'utf8')).trimEnd()
  const [screen = ''] = page.split('\n## ')
  const [report] = blocksBeginning('docs/whatif.md', 'Identity what-if of azd environment dev')
  assert.equal(report?.text, golden, 'renew it with golden/consent-widened.txt')
  assert.equal(report?.section, '')
  assert.match(screen, /uses: .*identity-what-if@/)
})

for (const major of [20, 24]) {
  const node = nodes.find((one) => versionOf(one).startsWith(`v${major}.`))
  const skip =
    withoutCompiler ||
    (node ? false : `there is no Node ${major} on PATH`) ||
    (npx ? false : 'there is no npx on PATH, or one for another shell')
  describe(`docs/whatif.md, followed to the letter with Node ${major}`, { skip }, () => {
    let stranger: Stranger
    let tenant: Awaited<ReturnType<typeof startDirectory>>
    let signedIn: Record<string, string>
    before(async () => {
      ;[stranger, tenant] = await Promise.all([makeStranger(), startDirectory()])
      await copyFile(stranger.tarball, join(stranger.project, basename(stranger.tarball)))
      await rm(join(stranger.project, 'package.json'))
      await stranger.write({ 'prod.bicepparam': "using 'main.bicep'\n\nparam title = 'Invoices (prod)'\n" })
      signedIn = {
        PATH: [dirname(node ?? ''), stranger.bin, npx, '/usr/bin', '/bin'].join(delimiter),
        GRAPH_ENDPOINT: tenant.graphUrl,
        IDENTITY_WHAT_IF_TOKEN: await tenant.operatorToken('Olivia'),
      }
    })
    after(() => Promise.all([stranger.remove(), tenant.close()]))
    const run = (line: string) => {
      const [program = '', ...args] = line.split(' ')
      return stranger.run(program, args, signedIn)
    }

    it('does what the page says on a laptop', async () => {
      assert.equal((await run('node --version')).output.trim().slice(1, 3), String(major))
      const { code, output } = await run(laptop)
      assert.equal(code, 2, output)
      assert.match(output, /Invoices[\s\S]*Plan: 2 to create/)
    })

    it('takes every line about parameters', async () => {
      assert.ok(lines.length > 5)
      const said = new Map<string, string>()
      for (const line of lines) {
        const { code, output } = await run(`${laptop}${line.slice('identity-what-if'.length)}`)
        const expected = /map|--help/.test(line) || line.endsWith('high') ? 0 : 2
        assert.equal(code, expected, `${line}\n${output}`)
        said.set(line, output)
      }
      assert.match(said.get('identity-what-if --parameters infra/prod.bicepparam') ?? '', /Invoices \(prod\)/)
    })

    it('says in an empty folder what to name', async () => {
      const folder = join(stranger.project, 'infra')
      await rm(folder, { recursive: true })
      const { code, output } = await run(laptop)
      assert.equal(code, 1)
      assert.match(output, /No template found in infra[\s\S]*--infra <folder>, or --parameters <file>/)
    })
  })
}
