import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { escapeMarkdown, fence } from '../../../scripts/whatif/report-markdown.ts'
import { choosePaint, showName, showValue } from '../../../scripts/whatif/report-text.ts'
import { unknown } from './unknown.ts'

describe('names from the directory', () => {
  it('cannot move the cursor of a terminal, nor turn the direction of the text', () => {
    assert.equal(showName('a\u001b[31m\u202eb\n+ c'), 'a\\u001b[31m\\u202eb\\n+ c')
    assert.equal(showValue('a\u009b1m'), '"a\\u009b1m"')
  })

  it('keep their quotes and backslashes', () => {
    assert.equal(showName('a "b" \\ c'), 'a "b" \\ c')
  })

  it('are no markup, mention or link in Markdown', () => {
    assert.equal(
      escapeMarkdown('<b>@all</b> | [x](https://e.example) *y*'),
      '&lt;b&gt;@\u200ball&lt;/b&gt; \\| \\[x\\](https:\u200b//e.example) \\*y\\*',
    )
  })

  it('cannot end a fence', () => {
    assert.deepEqual(fence('diff', 'a\n```\nb'), ['````diff', 'a\n```\nb', '````'])
  })
})

describe('values', () => {
  it('say when they are known only after the deployment', () => {
    assert.equal(showValue(unknown('api://{api.appId}')), '"api://{api.appId}" (known after deployment)')
  })

  it('are painted only when asked', () => {
    assert.equal(choosePaint(false)('add', '+'), '+')
    assert.equal(choosePaint(true)('add', '+'), '\u001b[32m+\u001b[0m')
  })
})
