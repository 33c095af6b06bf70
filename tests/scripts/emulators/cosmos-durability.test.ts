import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openContainer } from '../../../app/store/cosmos.ts'
import { ExpenseStore } from '../../../app/store/expenses.ts'
import { startCosmos } from '../../../scripts/emulators/cosmos.ts'
import { admin, listAll, lunch, noWaiting, someUser } from '../../app/store.ts'

const script = fileURLToPath(new URL('cosmos-process.ts', import.meta.url))
const names = { database: 'expenses', container: 'expenses' }
const key = randomBytes(64).toString('base64')

describe("the Cosmos emulator's file", () => {
  let folder: string
  const children = new Set<ChildProcess>()
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cosmos-'))
  })
  after(async () => {
    await Promise.all([...children].map(kill))
    await rm(folder, { recursive: true })
  })

  const kill = async (child: ChildProcess) => {
    children.delete(child)
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL'))
      await once(child, 'exit')
  }

  const start = async (file: string, patience = noWaiting()) => {
    const child = spawn(process.execPath, [script, file, key], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    const [url] = await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`The emulator ended with ${code}.`))),
    ])
    const store = new ExpenseStore(openContainer({ endpoint: String(url), key, ...names }), patience)
    return { child, store }
  }

  /** What is listed is what is counted. */
  const assertConsistent = async (store: ExpenseStore, user: ReturnType<typeof someUser>) => {
    const expenses = (await listAll(store, user, { limit: 200 })).flat()
    const cents = expenses.reduce((sum, { amount }) => sum + Math.round(amount * 100), 0)
    const { users, count, total } = await store.stats(admin)
    assert.deepEqual([users, count, total], [1, expenses.length, cents / 100])
    return expenses
  }

  it('is named when it is none, and left as it is', async () => {
    const file = join(folder, 'letter.sqlite')
    await writeFile(file, 'Dear reader')
    await assert.rejects(startCosmos({ ...names, port: 0, file, key }), {
      message: `${file}: file is not a database. Move it away, or set DATA_DIR to another folder.`,
    })
    assert.equal(await readFile(file, 'utf8'), 'Dear reader')
    await rm(file)
  })

  it('keeps everything over a restart', async () => {
    const file = join(folder, 'restart.sqlite')
    const user = someUser()
    const first = await startCosmos({ ...names, port: 0, file, key })
    const address = { key, ...names }
    const { expense } = await new ExpenseStore(openContainer({ endpoint: first.url, ...address })).add(
      user,
      lunch,
    )
    await first.close()
    const second = await startCosmos({ ...names, port: 0, file, key })
    try {
      const store = new ExpenseStore(openContainer({ endpoint: second.url, ...address }))
      assert.deepEqual((await store.list(user, { limit: 5 })).expenses, [expense])
      assert.equal((await store.stats(admin)).count, 1)
    } finally {
      await second.close()
    }
  })

  it('loses nothing that was acknowledged, and doubles nothing, when it is killed while writing', async () => {
    const file = join(folder, 'killed.sqlite')
    const user = someUser()
    const keys = Array.from({ length: 200 }, (_, index) => `key ${index}`)
    const acknowledged = new Set<string>()
    let killed = false
    const wait = async () => assert.ok(!killed, 'killed')
    let running = await start(file, { ...noWaiting(), wait })
    const work = async (todo: string[]) => {
      for (const name of todo) {
        const { expense } = await running.store.add(user, { ...lunch, description: name }, name)
        acknowledged.add(expense.id)
        if (acknowledged.size < 60 || killed) continue
        killed = running.child.kill('SIGKILL')
      }
    }
    const parts = [0, 1, 2, 3].map((part) => keys.filter((_, index) => index % 4 === part))
    const outcomes = await Promise.allSettled(parts.map(work))
    assert.ok(outcomes.every(({ status }) => status === 'rejected'))
    assert.ok(acknowledged.size >= 60 && acknowledged.size < 200)

    await kill(running.child)
    running = await start(file)
    const kept = new Set((await assertConsistent(running.store, user)).map(({ id }) => id))
    assert.deepEqual(
      [...acknowledged].filter((id) => !kept.has(id)),
      [],
    )
    await Promise.all(parts.map(work))
    const all = await assertConsistent(running.store, user)
    assert.deepEqual(all.map(({ description }) => description).sort(), keys.toSorted())
    await kill(running.child)
  })

  it('may be open in two processes that write at the same time', async () => {
    const file = join(folder, 'shared.sqlite')
    const user = someUser()
    const servers = await Promise.all([start(file), start(file)])
    const numbers = Array.from({ length: 100 }, (_, index) => index)
    await Promise.all(
      servers.flatMap(({ store }) =>
        numbers.map((n) => store.add(user, { ...lunch, amount: n + 1 }, `key ${n}`)),
      ),
    )
    for (const { store } of servers) assert.equal((await assertConsistent(store, user)).length, 100)
    await Promise.all(servers.map(({ child }) => kill(child)))
  })
})
