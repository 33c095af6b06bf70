import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mergePasses } from '../../../scripts/whatif/properties.ts'

describe('two passes over one unique name', () => {
  it('are one object: the later one wins, objects are merged, lists replaced', () => {
    const first = { displayName: 'a', api: { version: 2, scopes: ['x', 'y'] } }
    const second = { displayName: 'b', api: { scopes: ['x'], clients: ['c'] } }
    assert.deepEqual(mergePasses(first, second), {
      displayName: 'b',
      api: { version: 2, scopes: ['x'], clients: ['c'] },
    })
  })
})
