import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCommand } from '../../../scripts/whatif/load.ts'

describe('the command line', () => {
  it('is refused for what it does not know', () => {
    assert.throws(
      () => parseCommand(['--fail-on', 'low'], 'x'),
      /--fail-on low is not known[\s\S]*high, medium, any/,
    )
    assert.throws(() => parseCommand(['--colour'], 'x'), /Unknown option '--colour'/)
  })

  it('is text about the usual parameters, and any change counts, unless it says otherwise', () => {
    assert.deepEqual(parseCommand([], 'infra/main.bicepparam'), {
      format: 'text',
      failOn: 'any',
      isHelp: false,
      isMap: false,
      parameters: 'infra/main.bicepparam',
      environment: undefined,
      perspective: 'proposed',
      exceptions: undefined,
      desired: undefined,
    })
  })
})
