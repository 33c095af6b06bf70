/** Runs of whatif.yml, whole or its report alone. */
import assert from 'node:assert/strict'
import { type Outcome, runJob } from './job.ts'
import type { Call, World } from './project.ts'
import { given, pullRequest, type Story, world } from './worlds.ts'

export const preview = (around: World, more?: Record<string, string>) =>
  runJob('whatif.yml', 'preview', around, given(more))
export const writes = ({ calls }: Outcome): Call[] => calls.filter(({ args }) => args.includes('--method'))
export const commentOf = (outcome: Outcome): string => String(writes(outcome)[0]?.body?.body)
/** Only the last step, after a preview that found so many changes of high risk, and so many blockers. */
export const report = (story: Story, high: number, markdown = 'identities', blockers = 0) =>
  runJob('whatif.yml', 'preview', world([], pullRequest(story)), given(), {
    'preview.json': {
      azure: { failed: false, markdown: 'No Azure resource would change.' },
      identity: { state: 'changed', high, blockers, markdown },
    },
  })
export const risky = (story: Story) => report(story, 1)
/** The check fails, and the comment says why nobody's approval counts. */
export const unapproved = async (story: Story, why: RegExp): Promise<void> => {
  const outcome = await risky(story)
  assert.equal(outcome.code, 1, outcome.output)
  assert.match(commentOf(outcome), /❌ 1 identity change of high risk\./)
  assert.match(commentOf(outcome), why)
}
