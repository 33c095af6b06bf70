import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { selfSigned } from '../certificate.ts'
import { callTool } from './rpc.ts'
import { type System, startSystem } from './system.ts'

type Made = Awaited<ReturnType<typeof selfSigned>>

describe('a server whose credential is a certificate', () => {
  let folder: string
  let path: string
  let first: Made
  let system: System
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certificate-'))
    path = join(folder, 'server.pem')
    first = await selfSigned(20)
    await write(first)
    system = await startSystem({ AZURE_CLIENT_ID: '', ENTRA_CLIENT_CERTIFICATE_PATH: path })
    trust(first)
  })
  after(async () => {
    await system.stop()
    await rm(folder, { recursive: true })
  })

  const write = ({ forMsal }: Made) => writeFile(path, `${forMsal.privateKey}\n${forMsal.x5c}`)
  /** From now on the API app has these and no other. */
  const trust = (...these: Made[]) => {
    const api = system.tenant.directory.application(system.seed.apiAppId)
    assert.ok(api)
    api.keyCredentials = these.map(({ credential }) => credential)
  }
  /** Alice's statistics, with a token that no exchange is remembered for. */
  const statistics = async () =>
    callTool(system.mcp, 'get_expense_stats', {}, { token: await system.tokenFor('Alice') })

  it('exchanges tokens with it, and is warned at the start of a certificate that ends soon', async () => {
    assert.equal((await statistics()).isError, undefined)
    const { level, days, not_after } = await system.lineWith('"certificate_expires"')
    assert.deepEqual([level, days], ['warn', 19])
    assert.ok(Date.parse(String(not_after)) > Date.now())
  })

  it('goes on with the one that takes its place, without a restart', async () => {
    const second = await selfSigned()
    // The order of a rotation: the app registration knows both while the file changes.
    trust(first, second)
    await write(second)
    const { thumbprint_sha256 } = await system.lineWith('"The certificate was replaced."')
    assert.equal(thumbprint_sha256, second.forMsal.thumbprintSha256)
    trust(second)
    assert.equal((await statistics()).isError, undefined)
    await writeFile(path, 'half of a')
    const { level, code } = await system.lineWith('the certificate before stays')
    assert.deepEqual([level, code], ['warn', 'certificate_unreadable'])
    assert.equal((await statistics()).isError, undefined)
    assert.ok(system.lines().every((line) => !/PRIVATE KEY|BEGIN CERT/.test(line)))
  })

  it('says whose fault it is when Entra does not know the certificate', async () => {
    trust()
    const answer = await statistics()
    assert.equal(answer.isError, true)
    assert.match(answer.content[0]?.text ?? '', /The operator finds the cause under request/)
    assert.equal((await system.lineWith('"level":"error"')).code, 'AADSTS700027')
  })
})
