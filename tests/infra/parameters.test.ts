import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { compile } from '../../scripts/bicep/compile.ts'
import { EXAMPLES } from '../scripts/cli/parameter-examples.ts'
import { environmentOf, fresh, withoutCompiler } from './deployments.ts'
import { target } from './snapshots.ts'

/** A value that somebody may set, and what the refusal names. */
const bad: [why: string, variable: string, value: string | undefined, named: RegExp][] = [
  ['an empty environment name', 'AZURE_ENV_NAME', '', /minimum allowable length is 1|environmentName/],
  [
    'a long environment name',
    'AZURE_ENV_NAME',
    'a'.repeat(41),
    /maximum allowable length is 40|environmentName/,
  ],
  ['no environment name', 'AZURE_ENV_NAME', undefined, /AZURE_ENV_NAME/],
  ['no region', 'AZURE_LOCATION', undefined, /AZURE_LOCATION/],
  ['an empty region', 'AZURE_LOCATION', '', /minimum allowable length is 1|location/],
  [
    'a deployer id that is none',
    'AZURE_PRINCIPAL_ID',
    'a'.repeat(37),
    /maximum allowable length is 36|deployerId/,
  ],
  ['an unknown kind of deployer', 'AZURE_PRINCIPAL_TYPE', 'Robot', /deployerType/],
  ['a word for whether the server exists', 'SERVICE_SERVER_RESOURCE_EXISTS', 'perhaps', /serverExists/],
  ["a name instead of an admin's object id", 'ADMIN_MEMBERS', 'alice@contoso.com', /adminMembers/],
  ["a name instead of a group's object id", 'EXISTING_ADMIN_GROUP_ID', 'admins', /existingAdminGroupId/],
  [
    'a word for whether assignment is required',
    'RESTRICT_TO_ASSIGNED_USERS',
    'rarely',
    /restrictToAssignedUsers/,
  ],
  ["a name instead of a client's app id", 'EXTRA_CLIENTS', 'vscode', /extraClients/],
  [
    'a custom URL over http',
    'EXTRA_SERVER_URLS',
    'http://mcp.contoso.com/mcp',
    /EXTRA_SERVER_URLS: http:\/\/mcp/,
  ],
  [
    'a custom URL with a trailing slash',
    'EXTRA_SERVER_URLS',
    'https://mcp.contoso.com/mcp/',
    /EXTRA_SERVER_URLS/,
  ],
  [
    'a custom URL with another path',
    'EXTRA_SERVER_URLS',
    'https://mcp.contoso.com/api/mcp',
    /EXTRA_SERVER_URLS/,
  ],
  ['a custom URL with capitals', 'EXTRA_SERVER_URLS', 'https://MCP.contoso.com/mcp', /EXTRA_SERVER_URLS/],
  ...['*', 'http://a.contoso.com', 'https://a.contoso.com/', 'https://A.contoso.com'].map(
    (origin): (typeof bad)[number] => [
      `the origin ${origin}`,
      'ALLOWED_ORIGINS',
      origin,
      /ALLOWED_ORIGINS: .+ without a path/,
    ],
  ),
  ['replicas below zero', 'MIN_REPLICAS', '-1', /minimum allowable value is 0|minReplicas/],
  ['replicas that are no number', 'MIN_REPLICAS', 'many', /minReplicas/],
  ['no replica at most', 'MAX_REPLICAS', '0', /minimum allowable value is 1|maxReplicas/],
  ['another price of the search service', 'SEARCH_SKU', 'standard', /searchSku/],
  ['an alert address that is none', 'ALERT_EMAIL', 'me', /alertEmail/],
  ['a word for device codes', 'ALLOW_DEVICE_CODE', 'sometimes', /allowDeviceCode/],
  ['a word for local development', 'LOCAL_DEVELOPMENT', 'sometimes', /localDevelopment/],
  [
    'a local URL that is none',
    'LOCAL_SERVER_URL',
    'localhost',
    /minimum allowable length is 20|localServerUrl/,
  ],
  [
    'a tool set that nobody declares',
    'TOOL_SETS',
    'spending',
    /TOOL_SETS: "spending" should be .*: expenses, profile/,
  ],
  ['no tool set between two commas', 'TOOL_SETS', 'expenses,,profile', /TOOL_SETS: "" should be/],
  [
    'a long service reference',
    'SERVICE_MANAGEMENT_REFERENCE',
    'x'.repeat(257),
    /maximum allowable length is 256|serviceManagementReference/,
  ],
  ['a name that ends with a dot', 'AZURE_ENV_NAME', 'dev.', /AZURE_ENV_NAME: dev\. ends with a dot/],
  ['more replicas at least than at most', 'MIN_REPLICAS', '11', /MAX_REPLICAS: 10 is less than MIN_REPLICAS/],
  ...[
    'https://user@a.contoso.com/mcp',
    'https://a.contoso.com/mcp?x',
    'https://a.contoso.com?x/mcp',
    'https:///mcp',
  ].map((url): (typeof bad)[number] => [
    `the custom URL ${url}`,
    'EXTRA_SERVER_URLS',
    url,
    /EXTRA_SERVER_URLS/,
  ]),
  ...[
    'http://localhost:8080/mcp/',
    'http://user@localhost:8080/mcp',
    'http://a.contoso.com/mcp',
    'http://localhost:8080/mcp#x',
  ].map((url): (typeof bad)[number] => [`the local URL ${url}`, 'LOCAL_SERVER_URL', url, /LOCAL_SERVER_URL/]),
]

describe('The template refuses', { skip: withoutCompiler }, () => {
  for (const [why, variable, value, named] of bad) {
    it(why, async () => {
      const { [variable]: _, ...others } = environmentOf('defaults')
      const environment = value === undefined ? others : { ...others, [variable]: value }
      await assert.rejects(fresh(environment), named)
    })
  }
})

const infra = fileURLToPath(new URL('../../infra/', import.meta.url))
const Template = z.looseObject({
  parameters: z.record(z.string(), z.looseObject({ defaultValue: z.json().optional() })),
})
const ID = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd'

describe('The template takes', { skip: withoutCompiler }, () => {
  const usual = environmentOf('defaults')
  const same = async (variables: Record<string, string>, others: Record<string, string>) =>
    assert.deepEqual(await fresh({ ...usual, ...variables }), await fresh({ ...usual, ...others }))

  it('an empty variable as one that is not set', async () => {
    const optional = Object.entries(EXAMPLES).filter(([, { accepted }]) => accepted.includes(''))
    const { AZURE_PRINCIPAL_ID, ...empty } = Object.fromEntries(optional.map(([name]) => [name, '']))
    assert.equal(AZURE_PRINCIPAL_ID, '')
    await same(empty, {})
  })

  it('what the template assumes itself where nothing is set', async () => {
    const { AZURE_ENV_NAME = '', AZURE_LOCATION = '' } = usual
    const { written } = await compile({ infra, environment: { AZURE_ENV_NAME, AZURE_LOCATION }, ...target })
    const { parameters } = Template.parse(written.template)
    for (const [name, { defaultValue }] of Object.entries(parameters))
      if (defaultValue !== undefined) assert.deepEqual(written.parameters[name], defaultValue, name)
  })

  it('both spellings of a region as one', () => same({ AZURE_LOCATION: 'West Europe' }, {}))

  it('what a list names twice once', async () => {
    const url = 'https://a.contoso.com/mcp'
    const lists = (times: number) => {
      const twice = (one: string) => Array(times).fill(one).join(', ')
      return { ADMIN_MEMBERS: twice(ID), EXTRA_CLIENTS: twice(ID), EXTRA_SERVER_URLS: twice(url) }
    }
    await same(lists(2), lists(1))
  })

  it('CI=false and CI=0 as a person, any other word as a pipeline', async () => {
    for (const CI of ['false', '0']) await same({ CI }, {})
    await same({ CI: 'woodpecker' }, { CI: 'true' })
  })

  it('what the hooks take', async () => {
    const chosen = (at: number) =>
      Object.fromEntries(
        Object.entries(EXAMPLES).map(([name, { accepted }]) => [name, accepted.filter(Boolean).at(at) ?? '']),
      )
    for (const at of [0, 1, -1]) await fresh({ ...usual, ...chosen(at) })
  })
})
