import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { buildImage, type Image, instructions, startImage } from './image-build.ts'

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return address.port
}

const settings = async () => ({
  AZURE_TENANT_ID: '22222222-2222-4222-8222-222222222222',
  AZURE_CLIENT_ID: '33333333-3333-4333-8333-333333333333',
  ENTRA_CLIENT_ID: '44444444-4444-4444-8444-444444444444',
  ENTRA_ADMIN_GROUP_ID: '55555555-5555-4555-8555-555555555555',
  SERVER_URL: 'https://ca-x.example.azurecontainerapps.io/mcp',
  // Nothing listens there: the server starts without its surroundings and says so on /readyz.
  ENTRA_AUTHORITY_HOST: `http://127.0.0.1:${await freePort()}`,
  IDENTITY_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
  IDENTITY_HEADER: 'header',
  COSMOS_ENDPOINT: `https://127.0.0.1:${await freePort()}`,
  COSMOS_DATABASE: 'expenses',
  COSMOS_CONTAINER: 'expenses',
})

describe('app/Dockerfile', () => {
  it('needs no BuildKit', async () => {
    for (const { name, rest } of await instructions()) {
      assert.doesNotMatch(rest, /--(mount|link|chmod|parents|exclude)\b|<</, `${name} ${rest}`)
    }
  })

  it('compiles in advance with the very flags that the server runs with', async () => {
    const all = await instructions()
    const flags = (text: string) => text.match(/--max-[a-z-]+=\d+/g)
    const command = all.find(({ name }) => name === 'CMD')
    const compiling = all.find(({ name, rest }) => name === 'RUN' && rest.includes('NODE_COMPILE_CACHE'))
    const [start, modules] = compiling?.rest.split(' for ') ?? []
    for (const text of [start, modules]) assert.deepEqual(flags(text ?? ''), flags(command?.rest ?? ''))
    assert.deepEqual(flags(command?.rest ?? ''), ['--max-semi-space-size=8', '--max-old-space-size=512'])
  })

  it('has a heap that fits the container beside everything else', async () => {
    const bicep = await readFile(new URL('../../infra/server.bicep', import.meta.url), 'utf8')
    const container = Number(/memory: '(\d+)Gi'/.exec(bicep)?.[1]) * 1024
    const command = (await instructions()).find(({ name }) => name === 'CMD')?.rest ?? ''
    const [semi, old] = ['semi', 'old'].map((space) =>
      Number(new RegExp(`--max-${space}-space-size=(\\d+)`).exec(command)?.[1]),
    )
    // Three semi-spaces; code, buffers and sockets take some 150 MB more.
    assert.ok(3 * (semi ?? Number.NaN) + (old ?? Number.NaN) + 256 <= container)
  })

  it('listens on every address, which a server elsewhere does not', async () => {
    const all = await instructions()
    assert.ok(all.some(({ name, rest }) => name === 'ENV' && rest === 'LISTEN_ADDRESS=0.0.0.0'))
  })

  it('runs as a user that is not root', async () => {
    const all = await instructions()
    const users = all
      .slice(all.findLastIndex(({ name }) => name === 'FROM'))
      .filter(({ name }) => name === 'USER')
    assert.deepEqual(
      users.map(({ rest }) => rest),
      ['node'],
    )
  })
})

const posix = process.platform === 'win32' ? 'the lines of a Linux image need a shell of its kind' : false

describe('The image, built by the lines of app/Dockerfile in a clean folder', { skip: posix }, () => {
  let image: Image
  before(async () => {
    image = await buildImage()
  })
  after(() => image?.remove())

  it('holds the bundle with its map, permissions.json and the compiled code, and nothing else', async () => {
    const files = await readdir(image.workdir, { recursive: true, withFileTypes: true })
    const paths = files
      .filter((file) => file.isFile())
      .map((file) => `${file.parentPath}/${file.name}`.slice(image.workdir.length + 1))
    const [compiled, others] = [
      paths.filter((path) => path.startsWith('compile-cache/')),
      paths.filter((path) => !path.startsWith('compile-cache/')),
    ]
    const modules = others.filter((path) => /^app\/\w[\w-]*-[A-Z\d]{8}\.js$/.test(path))
    const beside = [...modules, ...modules.map((path) => `${path}.map`)]
    assert.deepEqual(others.filter((path) => !beside.includes(path)).toSorted(), [
      'app/server.js',
      'app/server.js.map',
      'infra/permissions.json',
      'package.json',
    ])
    // Whatever is loaded later is compiled in advance too.
    assert.equal(compiled.length, modules.length + 1)
  })

  it('stops before it listens and names what is missing', async () => {
    const server = startImage(image, {})
    assert.equal(await server.exitCode, 1)
    assert.match(server.output(), /AZURE_TENANT_ID is missing/)
  })

  it('starts, answers /healthz, is not ready without its surroundings, and stops on SIGTERM', async () => {
    const port = await freePort()
    const server = startImage(image, { ...(await settings()), PORT: String(port) })
    try {
      await server.until(/Listening/)
      const health = await fetch(`http://127.0.0.1:${port}/healthz`)
      assert.equal(health.status, 200)
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`)
      assert.equal(ready.status, 503)
      for (const path of ['/app/server.js.map', '/server.js.map', '/app/server.js'])
        assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404)
    } finally {
      server.stop()
    }
    assert.equal(await server.exitCode, 0)
  })
})
