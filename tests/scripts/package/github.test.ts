import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { readAt, saveComment } from '../../../scripts/package/github.ts'
import { type GitHub, startGitHub } from './github-emulator.ts'

const REPOSITORY = 'contoso/invoices'
const [HEAD, BASE] = ['a'.repeat(40), 'b'.repeat(40)]
const BOT = 'github-actions[bot]'
const pull = { number: 7, repository: REPOSITORY, head: HEAD, base: BASE, isFork: false }
const mark = '<!-- identity-what-if of infra -->'

describe('The comment of the action', () => {
  let github: GitHub
  before(async () => {
    github = await startGitHub(REPOSITORY, { writer: 'write', reader: 'read', nobody: 'none' })
  })
  after(() => github.close())
  beforeEach(() => github.reset())
  const save = (text: string, token = 'writer', author = BOT, api = github.url) =>
    saveComment({ api, token }, pull, { mark, author, text })
  const others = (count: number) => {
    for (let id = 1; id <= count; id++)
      github.comments.push({ id, body: `${mark}\nnot ours`, user: { login: 'somebody' } })
  }

  it('is found on a later page, among comments of others with the same mark', async () => {
    for (const count of [0, 1, 99, 100, 130, 200]) {
      github.reset()
      others(count)
      assert.deepEqual(await save('first'), { saved: true, said: 'The comment is written.' })
      assert.deepEqual(await save('second'), { saved: true, said: 'The comment is written anew.' })
      const changed = github.comments.filter(({ body }) => body !== `${mark}\nnot ours`)
      assert.deepEqual(changed, [{ id: count + 1, body: `${mark}\nsecond`, user: { login: BOT } }])
    }
  })

  it('is another one for another mark, and where the mark is not at its beginning', async () => {
    github.comments.push({ id: 1, body: `> ${mark}`, user: { login: BOT } })
    github.comments.push({ id: 2, body: '<!-- identity-what-if of other -->', user: { login: BOT } })
    await save('text')
    assert.equal(github.comments.length, 3)
  })

  it('is found by the author that is named, for a token of an app', async () => {
    github.comments.push({ id: 1, body: mark, user: { login: 'our-app[bot]' } })
    await save('text', 'writer', 'our-app[bot]')
    assert.equal(github.comments[0]?.body, `${mark}\ntext`)
  })

  it('is missing, in words, where the job may not write or read, or GitHub does not answer', async () => {
    for (const token of ['reader', 'nobody', 'unknown']) {
      const { saved, said } = await save('text', token)
      assert.equal(saved, false)
      assert.match(said, /^No comment\. The job may not comment \(permissions: pull-requests: write/)
    }
    assert.deepEqual(github.comments, [])
    assert.match((await save('x'.repeat(70_000))).said, /^No comment\. GitHub answered 422\.$/)
    const closed = await save('text', 'writer', BOT, 'http://127.0.0.1:1')
    assert.match(closed.said, /^No comment\. /)
    assert.ok(!closed.said.includes('writer'))
  })
})

describe('A file of the base branch', () => {
  it('is read as it is there, and is undefined where it is not or may not be read', async () => {
    const github = await startGitHub(REPOSITORY, { reader: 'read', nobody: 'none' })
    github.files.set(`${BASE} in fra/exceptions.json`, '{"exceptions":[]}')
    const read = (token: string, path = 'in fra/exceptions.json', commit = BASE) =>
      readAt({ api: github.url, token }, REPOSITORY, path, commit)
    assert.equal(await read('reader'), '{"exceptions":[]}')
    for (const answer of [
      read('nobody'),
      read('unknown'),
      read('reader', 'x.json'),
      read('reader', 'x', HEAD),
    ])
      assert.equal(await answer, undefined)
    await github.close()
  })

  it('is given up by the deadline, also when GitHub stops in the middle of it', async (test) => {
    const late = new AbortController()
    const deadlines = test.mock.method(AbortSignal, 'timeout', () => late.signal)
    const stuck = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': 9 }).write('{')
      late.abort(new Error('late'))
    }).listen(0, '127.0.0.1')
    await once(stuck, 'listening')
    const { port } = stuck.address() as AddressInfo
    const github = { api: `http://127.0.0.1:${port}`, token: 'reader' }
    await assert.rejects(readAt(github, REPOSITORY, 'x', BASE), /late|abort/i)
    assert.deepEqual(deadlines.mock.calls[0]?.arguments, [30_000])
    stuck.closeAllConnections()
    stuck.close()
  })
})
