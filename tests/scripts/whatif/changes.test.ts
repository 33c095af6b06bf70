import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findEnvironmentTags } from '../../../scripts/whatif/changes.ts'

describe('the tags of an environment', () => {
  const tags = ['azd-env-name:dev', 'azd-env-token:x']
  it('are those that all tagged objects share, when one names the environment', () => {
    assert.deepEqual(findEnvironmentTags([{ tags: [...tags, 'more'] }, {}, { tags }], 'dev'), tags)
  })
  it('are none when nothing names the environment: other people use the same tags', () => {
    assert.deepEqual(findEnvironmentTags([{ tags: ['HideApp'] }], 'dev'), [])
    assert.deepEqual(findEnvironmentTags([{ tags }], 'prod'), [])
  })
})
