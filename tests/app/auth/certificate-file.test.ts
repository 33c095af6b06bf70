import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { CertificateFault, CertificateFile } from '../../../app/auth/certificate-file.ts'
import { selfSigned } from '../../certificate.ts'

const DAY = 24 * 60 * 60_000

type Line = Readonly<{ level: string; message: string; fields?: Readonly<Record<string, unknown>> }>

/** A log whose next line can be waited for. */
function listening() {
  const lines: Line[] = []
  const told = new EventEmitter()
  const at = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    lines.push({ level, message, ...(fields && { fields }) })
    told.emit('line')
  }
  const fault = (error: unknown) => assert.fail(String(error))
  return {
    lines,
    log: { info: at('info'), warn: at('warn'), error: at('error'), fault },
    async next(): Promise<Line> {
      // The watcher keeps no process alive, and neither may this test end before it has told.
      const alive = setInterval(() => undefined, 1_000)
      try {
        if (lines.length === 0) await once(told, 'line', { signal: AbortSignal.timeout(10_000) })
      } finally {
        clearInterval(alive)
      }
      const line = lines.shift()
      assert.ok(line)
      return line
    },
  }
}

async function made(validDays = 90) {
  const { forMsal } = await selfSigned(validDays)
  // The order of a Key Vault: the key first.
  return { pem: `${forMsal.privateKey}\n${forMsal.x5c}`, ...forMsal }
}

describe('the certificate’s file', () => {
  let folder: string
  let path: string
  let stop = () => {}
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certificate-'))
    path = join(folder, 'server.pem')
  })
  afterEach(async () => {
    stop()
    stop = () => {}
    mock.timers.reset()
    await rm(folder, { recursive: true })
  })

  /** The file with this certificate, watched. */
  async function watched(pem: string) {
    await writeFile(path, pem)
    const file = new CertificateFile(path)
    const heard = listening()
    stop = file.watch(heard.log)
    return { file, ...heard }
  }

  it('is used anew when it was overwritten, and says so', async () => {
    const [first, second] = await Promise.all([made(), made()])
    const { file, next } = await watched(first.pem)
    assert.equal(file.current.thumbprintSha256, first.thumbprintSha256)
    await writeFile(path, second.pem)
    const { level, message, fields } = await next()
    assert.deepEqual([level, message], ['info', 'The certificate was replaced.'])
    assert.equal(fields?.thumbprint_sha256, second.thumbprintSha256)
    assert.ok(file.current.privateKey === second.privateKey.trim(), 'the old key is still there')
  })

  it('is used anew when another file took its name', async () => {
    const [first, second] = await Promise.all([made(), made()])
    const { file, next } = await watched(first.pem)
    await writeFile(join(folder, 'new'), second.pem)
    await rename(join(folder, 'new'), path)
    assert.equal((await next()).message, 'The certificate was replaced.')
    assert.equal(file.current.thumbprintSha256, second.thumbprintSha256)
  })

  it('is used anew when the link before it was turned, as secret volumes do', {
    skip: process.platform === 'win32',
  }, async () => {
    const [first, second] = await Promise.all([made(), made()])
    for (const [name, { pem }] of [
      ['..1', first],
      ['..2', second],
    ] as const) {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'server.pem'), pem)
    }
    await symlink('..1', join(folder, '..data'))
    await symlink(join('..data', 'server.pem'), path)
    const file = new CertificateFile(path)
    const { log, next } = listening()
    stop = file.watch(log)
    await symlink('..2', join(folder, '..new'))
    await rename(join(folder, '..new'), join(folder, '..data'))
    assert.equal((await next()).message, 'The certificate was replaced.')
    assert.equal(file.current.thumbprintSha256, second.thumbprintSha256)
  })

  it('stays as it was while it is half-written, says so once, and is used when it is whole', async () => {
    const [first, second] = await Promise.all([made(), made()])
    const { file, next, lines } = await watched(first.pem)
    await writeFile(path, second.pem.slice(0, second.pem.length / 2))
    const { level, message, fields } = await next()
    assert.equal(level, 'warn')
    assert.match(message, /cannot be used, so the certificate before stays/)
    assert.equal(fields?.code, 'certificate_unreadable')
    assert.equal(fields?.thumbprint_sha256, first.thumbprintSha256)
    assert.equal(file.current.thumbprintSha256, first.thumbprintSha256)
    await writeFile(path, second.pem)
    assert.equal((await next()).message, 'The certificate was replaced.')
    assert.equal(file.current.thumbprintSha256, second.thumbprintSha256)
    assert.equal(lines.length, 0)
  })

  it('stays as it was when what takes its place has another’s key, has expired, or is gone', async () => {
    const [first, second, old] = await Promise.all([made(), made(), made(-0.5)])
    const { file, next } = await watched(first.pem)
    for (const [content, code] of [
      [`${first.privateKey}\n${second.x5c}`, 'certificate_unreadable'],
      [old.pem, 'certificate_expired'],
      [undefined, 'certificate_unreadable'],
    ] as const) {
      await (content === undefined ? rm(path) : writeFile(path, content))
      const { level, fields } = await next()
      assert.deepEqual([level, fields?.code], ['warn', code])
      assert.equal(file.current.thumbprintSha256, first.thumbprintSha256)
    }
  })

  it('takes the certificate that fits the key, wherever its issuers’ stand', async () => {
    const [own, issuer] = await Promise.all([made(), made()])
    for (const pem of [`${own.pem}\n${issuer.x5c}`, `${issuer.x5c}\n${own.pem}`]) {
      await writeFile(path, pem)
      assert.equal(new CertificateFile(path).current.thumbprintSha256, own.thumbprintSha256)
    }
  })

  it('is refused at the start when it has expired or is not valid yet', async () => {
    const old = await made(-0.5)
    await writeFile(path, old.pem)
    const refused = (code: string) => (error: unknown) =>
      error instanceof CertificateFault && error.code === code
    assert.throws(() => new CertificateFile(path), refused('certificate_expired'))
    const fresh = await made()
    await writeFile(path, fresh.pem)
    mock.timers.enable({ apis: ['Date'], now: Date.now() - 2 * DAY })
    assert.throws(() => new CertificateFile(path), refused('certificate_not_yet_valid'))
  })

  it('is warned of from 30 days before its end on, at the start and every day, and is an error afterwards', async () => {
    const { pem } = await made(33)
    await writeFile(path, pem)
    mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.now() })
    const file = new CertificateFile(path)
    const { log, lines } = listening()
    stop = file.watch(log)
    assert.equal(lines.length, 0)
    mock.timers.tick(DAY)
    assert.equal(lines.length, 0)
    for (let day = 2; day <= 34; day++) mock.timers.tick(DAY)
    const told = lines.filter(({ fields }) => fields?.code === 'certificate_expires')
    assert.deepEqual(told.map(({ level, fields }) => [level, fields?.days])[0], ['warn', 30])
    assert.deepEqual(told.at(-1)?.fields?.days, 0)
    assert.deepEqual([lines.at(-1)?.level, lines.at(-1)?.fields?.code], ['error', 'certificate_expired'])
    const again = listening()
    stop()
    stop = file.watch(again.log)
    assert.deepEqual(
      again.lines.map(({ level }) => level),
      ['error'],
    )
    assert.doesNotMatch(JSON.stringify([lines, again.lines]), /PRIVATE|BEGIN|CN=/)
  })

  function assertReplacedInADay(
    file: CertificateFile,
    lines: readonly Line[],
    by: Readonly<{ thumbprintSha256: string }>,
  ): void {
    mock.timers.tick(DAY)
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['The certificate was replaced.'],
    )
    assert.equal(file.current.thumbprintSha256, by.thumbprintSha256)
  }

  it('is looked at every day, even where its folder tells of nothing', async () => {
    const [first, second] = await Promise.all([made(), made()])
    await writeFile(path, first.pem)
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const file = new CertificateFile(path)
    const { log, lines } = listening()
    stop = file.watch(log)
    await writeFile(path, second.pem)
    assertReplacedInADay(file, lines, second)
  })

  it('is looked at every day where its folder cannot be watched, which ends no server', async () => {
    const [first, second] = await Promise.all([made(), made()])
    await writeFile(path, first.pem)
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const file = new CertificateFile(path)
    const { log, lines } = listening()
    const faults: unknown[] = []
    // As when the machine has no watcher left: the call throws at once.
    await rm(folder, { recursive: true })
    stop = file.watch({ ...log, fault: (error) => faults.push(error) })
    assert.deepEqual(
      faults.map((error) => error instanceof Error && 'syscall' in error && error.syscall),
      ['watch'],
    )
    await mkdir(folder)
    await writeFile(path, second.pem)
    assertReplacedInADay(file, lines, second)
  })
})
