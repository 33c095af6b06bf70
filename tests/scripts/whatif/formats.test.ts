import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { commandOf } from '../../../scripts/whatif/command.ts'
import { escaped, fenced } from '../../../scripts/whatif/markup.ts'
import { environmentTags } from '../../../scripts/whatif/orphans.ts'
import { colours, nameText, shown } from '../../../scripts/whatif/text.ts'
import { unknown } from './unknown.ts'

describe('names from the directory', () => {
  it('cannot move the cursor of a terminal, nor turn the direction of the text', () => {
    assert.equal(nameText('a\u001b[31m\u202eb\n+ c'), 'a\\u001b[31m\\u202eb\\n+ c')
    assert.equal(shown('a\u009b1m'), '"a\\u009b1m"')
  })

  it('keep their quotes and backslashes', () => {
    assert.equal(nameText('a "b" \\ c'), 'a "b" \\ c')
  })

  it('are no markup, mention or link in Markdown', () => {
    assert.equal(
      escaped('<b>@all</b> | [x](https://e.example) *y*'),
      '&lt;b&gt;@\u200ball&lt;/b&gt; \\| \\[x\\](https:\u200b//e.example) \\*y\\*',
    )
  })

  it('cannot end a fence', () => {
    assert.deepEqual(fenced('diff', 'a\n```\nb'), ['````diff', 'a\n```\nb', '````'])
  })
})

describe('values', () => {
  it('say when they are known only after the deployment', () => {
    assert.equal(shown(unknown('api://{api.appId}')), '"api://{api.appId}" (known after deployment)')
  })

  it('are painted only when asked', () => {
    assert.equal(colours(false).add('+'), '+')
    assert.equal(colours(true).add('+'), '\u001b[32m+\u001b[0m')
  })
})

describe('the tags of an environment', () => {
  const tags = ['azd-env-name:dev', 'azd-env-token:x']
  it('are those that all tagged objects share, when one names the environment', () => {
    assert.deepEqual(environmentTags([{ tags: [...tags, 'more'] }, {}, { tags }], 'dev'), tags)
  })
  it('are none when nothing names the environment: other people use the same tags', () => {
    assert.deepEqual(environmentTags([{ tags: ['HideApp'] }], 'dev'), [])
    assert.deepEqual(environmentTags([{ tags }], 'prod'), [])
  })
})

describe('the command line', () => {
  it('is refused for what it does not know', () => {
    assert.throws(
      () => commandOf(['--fail-on', 'low'], 'x'),
      /--fail-on low is not known[\s\S]*high, medium, any/,
    )
    assert.throws(() => commandOf(['--colour'], 'x'), /Unknown option '--colour'/)
  })

  it('is text about the usual parameters, and any change counts, unless it says otherwise', () => {
    assert.deepEqual(commandOf([], 'infra/main.bicepparam'), {
      format: 'text',
      failOn: 'any',
      isHelp: false,
      isMap: false,
      parameters: 'infra/main.bicepparam',
      environment: undefined,
      perspective: 'proposed',
      exceptions: undefined,
    })
  })
})
