import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { answerOf, azureMarkdown, HIDDEN } from '../../../scripts/github/azure-preview.ts'
import { settingNames } from '../../../scripts/github/settings.ts'
import { commentOf, preview } from './previews.ts'
import { notHere } from './project.ts'
import { armSays, pullRequest, whatif, world } from './worlds.ts'

const RESOURCE = '/subscriptions/s/resourceGroups/rg-dev/providers/Microsoft.App/containerApps/ca-x'
const skipped = {
  code: 'NestedDeploymentShortCircuited',
  level: 'Warning',
  message: 'A nested deployment got short-circuited and all its resources got skipped from validation.',
  target: '/subscriptions/s/providers/Microsoft.Resources/deployments/server',
  additionalInfo: [{ type: 'x', info: {} }],
}
const markdownOf = (answer: object) => {
  const read = answerOf(JSON.stringify({ status: 'Succeeded', ...answer }))
  assert.ok(!('unreadable' in read), JSON.stringify(read))
  return azureMarkdown(read)
}

describe('The preview of Azure resources', () => {
  it('hands az nothing that is called like a credential, and all that the template and the sign-in need', async () => {
    const credentials = [
      'SLACK_WEBHOOK_URL',
      'NPM_AUTH',
      'DOCKER_AUTH_CONFIG',
      'SIGNING_KEY',
      'AZURE_DEVOPS_EXT_PAT',
    ]
    for (const name of [...credentials, 'DB_CONNECTION_STRING', 'SENTRY_DSN', 'MY_TOKEN', 'GITHUB_TOKEN'])
      assert.ok(HIDDEN.test(name), name)
    const settings = await settingNames()
    for (const name of [
      ...settings,
      'PATH',
      'HOME',
      'AZURE_CONFIG_DIR',
      'AZURE_AUTHORITY_HOST',
      'HTTPS_PROXY',
    ])
      assert.ok(!HIDDEN.test(name), name)
  })

  it('says that nothing would change only when Azure has looked at everything', () => {
    assert.equal(markdownOf({ changes: [] }), 'No Azure resource would change.')
    const text = markdownOf({ changes: [], diagnostics: [skipped] })
    assert.doesNotMatch(text, /No Azure resource would change/)
    assert.match(
      text,
      /^⚠️ Incomplete: Azure did not look at everything\. 0 Azure resources would change as far/,
    )
    assert.match(text, /- Warning NestedDeploymentShortCircuited: A nested .*\(`deployments\/server`\)/)
  })

  it('is incomplete for every diagnostic that says that modules were left out, and for every error', () => {
    for (const code of [
      'NestedDeploymentSkippedFromInternalExpansion',
      'NestedDeploymentExpansionLimitReached',
    ])
      assert.match(
        markdownOf({ changes: [], diagnostics: [{ ...skipped, code, message: 'x' }] }),
        /^⚠️ Incomplete/,
      )
    const error = { code: 'Odd', level: 'Error', message: 'x' }
    assert.match(markdownOf({ changes: [], diagnostics: [error] }), /^⚠️ Incomplete[\s\S]*- Error Odd: x/)
  })

  it('shows a diagnostic about one resource without doubting the rest', () => {
    const note = { code: 'Deprecated', level: 'Info', message: 'an old\n| `version`' }
    const text = markdownOf({ changes: [], diagnostics: [note] })
    assert.match(
      text,
      /^No Azure resource would change\.\n\nAzure adds:\n\n- Info Deprecated: an old \\\| {2}version/,
    )
  })

  it('shows every kind of change but those that say: none', () => {
    for (const changeType of ['NoChange', 'Ignore', 'NoEffect'])
      assert.equal(
        markdownOf({ changes: [{ changeType, resourceId: RESOURCE }] }),
        'No Azure resource would change.',
      )
    for (const changeType of ['Create', 'Delete', 'Modify', 'Deploy', 'Unsupported', 'Teleport'])
      assert.match(
        markdownOf({ changes: [{ changeType, resourceId: RESOURCE }] }),
        new RegExp(`1 Azure resource would change[\\s\\S]*\\| ${changeType} \\| .containerApps/ca-x. \\|`),
      )
  })

  it('is incomplete where a resource cannot be analysed, with the reason, also without an id', () => {
    const unsupportedReason = 'Its resource ID cannot be calculated.'
    const text = markdownOf({ changes: [{ changeType: 'Unsupported', resourceId: null, unsupportedReason }] })
    assert.match(
      text,
      /⚠️ Incomplete[\s\S]*\| Unsupported \| `a resource without an id yet` \| Its resource ID/,
    )
    assert.match(markdownOf({ changes: [{ changeType: 'Deploy', resourceId: RESOURCE }] }), /⚠️ Incomplete/)
    assert.match(
      markdownOf({ changes: [{ changeType: 'Ignore', resourceId: RESOURCE, unsupportedReason }] }),
      /Its resource ID cannot/,
    )
  })

  it('tells what would change from what may change', () => {
    const text = markdownOf({
      changes: [],
      potentialChanges: [{ changeType: 'Create', resourceId: RESOURCE }],
    })
    assert.match(text, /0 Azure resources would change, 1 perhaps[\s\S]*\| Create, perhaps \|/)
  })

  it('reads the form of the REST API as well as that of the command line', () => {
    const text = markdownOf({ properties: { changes: [], diagnostics: [skipped] } })
    assert.match(text, /^⚠️ Incomplete/)
  })
})

describe('An answer of Azure that is no preview', { skip: notHere, concurrency: 2 }, () => {
  const cases: [string, unknown, RegExp][] = [
    ['changes are null', { status: 'Succeeded', changes: null }, /listed no changes at all/],
    ['changes are missing', { status: 'Succeeded' }, /listed no changes at all/],
    [
      'a change names no resource',
      { changes: [{ changeType: 'Modify' }] },
      /without saying of which resource/,
    ],
    ['changes are no list', { changes: 'none' }, /in a form that this check does not know/],
    ['it is no object', [], /in a form that this check does not know/],
    [
      'it failed',
      { status: 'Failed', changes: [], error: { code: 'InvalidTemplate', message: 'line 3' } },
      /Azure says Failed: InvalidTemplate: line 3/,
    ],
    ['it was cancelled', { status: 'Canceled', changes: [] }, /Azure says Canceled: it gives no reason/],
    ['it is no JSON', 'WARNING: something', /is no JSON\. It begins with: WARNING: something/],
    ['it is empty', '', /is no JSON\. It begins with: \(nothing\)/],
  ]
  for (const [title, said, why] of cases)
    it(`fails the check with a comment in words: ${title}`, async () => {
      const answers = [armSays(said), ...world(whatif(0)).answers]
      const outcome = await preview({ answers, github: pullRequest() })
      assert.equal(outcome.code, 1, outcome.output)
      assert.match(commentOf(outcome), /❌ A preview failed/)
      assert.match(commentOf(outcome), why)
      assert.doesNotMatch(commentOf(outcome), /ZodError|invalid_type|SyntaxError|\n\s+at /)
    })
})
