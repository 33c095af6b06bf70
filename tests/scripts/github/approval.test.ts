import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Document } from '../../../scripts/github/identity-preview.ts'
import { commentOf, unapproved as fails, preview, report, risky } from './previews.ts'
import { notHere } from './project.ts'
import { high, labelled, low, pullRequest, pushed, pushedBy, unlabelled, whatif, world } from './worlds.ts'

describe('High risk', { skip: notHere, concurrency: 2 }, () => {
  const labels = ['bug', 'identity-approved']
  const after = '2026-05-01T12:00:00Z'

  it('is what the identity preview grades as high, through all steps', async () => {
    const outcome = await preview(world(whatif(2, [high, low]), pullRequest()))
    assert.equal(outcome.code, 1, outcome.output)
    assert.match(
      commentOf(outcome),
      /❌ 1 identity change of high risk\. The label identity-approved is not set/,
    )
  })

  it('is what is known only after the deployment, where that is graded high', async () => {
    const open = await preview(world(whatif(2, [low], 'x', [high, low]), pullRequest()))
    assert.equal(open.code, 1, open.output)
    assert.match(commentOf(open), /❌ 1 identity change of high risk\./)
    const calm = await preview(world(whatif(2, [], 'x', [low]), pullRequest()))
    assert.equal(calm.code, 0, calm.output)
    assert.match(commentOf(calm), /✅ No identity change of high risk\./)
  })

  it('is not the only thing that fails the check: what cannot be deployed does too, whoever approves', async () => {
    const story = { labels, events: [labelled(after)], permission: 'admin' }
    const outcome = await report(story, 1, 'x', 1)
    assert.equal(outcome.code, 1)
    assert.match(commentOf(outcome), /❌ The deployment would fail: 1 identity problem\./)
  })

  it('fails the check without the label', () => fails({}, /identity-approved is not set/))

  it('passes once somebody with write access has set the label after the last commit', async () => {
    for (const permission of ['write', 'admin']) {
      const outcome = await risky({ labels, events: [labelled(after)], permission })
      assert.equal(outcome.code, 0, outcome.output)
      assert.match(commentOf(outcome), /⚠️ 1 identity change of high risk, approved by reviewer\./)
    }
  })

  it('fails the check when an outsider set the label', () =>
    fails({ labels, events: [labelled(after)], permission: 'read' }, /reviewer set .* has no write access/))

  it('fails the check when nobody of that name may do anything here', () =>
    fails({ labels, events: [labelled(after)] }, /has no write access/))

  it('fails the check when a program set the label', () =>
    fails({ labels, events: [labelled(after, 'reviewer', 'Bot')], permission: 'write' }, /is not a person/))

  it('fails the check when the label is set but nobody can be found who did it', () =>
    fails({ labels, events: [], permission: 'write' }, /Nobody can be found/))

  it('counts who set the label last', () =>
    fails(
      {
        labels,
        events: [labelled(after), labelled('2026-05-01T12:30:00Z', 'outsider')],
        permission: 'write',
      },
      /outsider set .* has no write access/,
    ))

  it('fails the check when the label was set by the author of the pull request', () =>
    fails(
      { labels, events: [labelled(after, 'author')], permission: 'admin' },
      /author set .* opened the pull/,
    ))

  it('fails the check when the author sets anew what a reviewer had set', () =>
    fails(
      {
        labels,
        events: [labelled(after), unlabelled(after), labelled('2026-05-01T12:30:00Z', 'author')],
        permission: 'write',
      },
      /author set .* opened the pull/,
    ))

  it('passes when a reviewer sets anew what the author had set, in the same second too', async () => {
    const events = [labelled(after, 'author'), unlabelled(after), labelled(after)]
    const outcome = await risky({ labels, events, permission: 'write' })
    assert.equal(outcome.code, 0, outcome.output)
  })

  it('fails the check when the label was set by whoever pushed the last commit', () =>
    fails(
      {
        labels,
        events: [labelled(after)],
        permission: 'write',
        pushes: [pushedBy('reviewer', '2026-05-01T10:00:00Z'), pushed('2026-05-01T09:00:00Z')],
      },
      /reviewer set .* pushed its last commit/,
    ))

  it('fails the check when a program set the label in somebody’s name', () =>
    fails(
      {
        labels,
        events: [labelled(after, 'reviewer', 'User', { performed_via_github_app: { slug: 'a-program' } })],
        permission: 'write',
      },
      /A program set the label identity-approved in the name of reviewer/,
    ))
})

describe('What npm run whatif prints for programs', () => {
  it('is understood, with its risks and blockers', async () => {
    const folder = new URL('../whatif/golden/', import.meta.url)
    const files = (await readdir(folder)).filter((file) => file.endsWith('.json'))
    assert.ok(files.length >= 5)
    const grades = new Map<string, string[]>()
    const blocked: string[] = []
    for (const file of files) {
      const document = Document.parse(JSON.parse(await readFile(new URL(file, folder), 'utf8')))
      const found = document.changes.flatMap(({ properties }) => properties.map(({ risk }) => risk.grade))
      grades.set(file, found)
      if (document.blockers.length > 0) blocked.push(file)
    }
    assert.ok(grades.get('consent-widened.json')?.includes('high'))
    assert.deepEqual(grades.get('no-change.json'), [])
    assert.ok(blocked.includes('soft-deleted-twin.json'))
  })
})
