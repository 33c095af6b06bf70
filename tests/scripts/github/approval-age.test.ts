import { describe, it } from 'node:test'
import { unapproved as fails } from './previews.ts'
import { notHere } from './project.ts'
import { happened, labelled, pushed } from './worlds.ts'

describe('An approval of high risk', { skip: notHere, concurrency: 2 }, () => {
  const labels = ['identity-approved']
  const after = '2026-05-01T12:00:00Z'

  it('fails the check when a commit was pushed after the label or with it, whatever dates the commit bears', async () => {
    for (const at of [after, '2026-05-01T12:00:01Z'])
      await fails(
        { labels, events: [labelled(after)], permission: 'write', pushes: [pushed(at)] },
        /older than the last commit/,
      )
  })

  it('fails the check when this very commit was there before, then another one, then this again', () =>
    fails(
      {
        labels,
        events: [labelled(after)],
        permission: 'write',
        pushes: [
          pushed('2026-05-01T12:20:00Z', { activity_type: 'force_push' }),
          pushed('2026-05-01T11:00:00Z', { after: 'b'.repeat(40) }),
          pushed('2026-05-01T10:00:00Z'),
        ],
      },
      /older than the last commit/,
    ))

  it('fails the check when the branch has moved on, or GitHub’s record has not got there', async () => {
    const other = pushed('2026-05-01T10:30:00Z', { after: 'b'.repeat(40) })
    const elsewhere = pushed('2026-05-01T10:30:00Z', { ref: 'refs/heads/other' })
    for (const pushes of [[], [other, pushed('2026-05-01T10:00:00Z')], [elsewhere]])
      await fails(
        { labels, events: [labelled(after)], permission: 'write', pushes },
        /does not say when the last commit was pushed: run the check again/,
      )
  })

  it('fails the check when commits were replaced, or the pull request got another base, after the label', async () => {
    for (const name of ['head_ref_force_pushed', 'head_ref_restored', 'base_ref_changed'])
      await fails(
        { labels, events: [labelled(after), happened(name, '2026-05-01T12:10:00Z')], permission: 'write' },
        /older than the last commit/,
      )
  })
})
