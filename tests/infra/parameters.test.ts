import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { environmentOf, fresh, withoutCompiler } from './deployments.ts'

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
  ['replicas below zero', 'MIN_REPLICAS', '-1', /minimum allowable value is 0|minReplicas/],
  ['replicas that are no number', 'MIN_REPLICAS', 'many', /minReplicas/],
  ['no replica at most', 'MAX_REPLICAS', '0', /minimum allowable value is 1|maxReplicas/],
  ['an alert address that is none', 'ALERT_EMAIL', 'me', /alertEmail/],
  ['a word for local development', 'LOCAL_DEVELOPMENT', 'sometimes', /localDevelopment/],
  [
    'a local URL that is none',
    'LOCAL_SERVER_URL',
    'localhost',
    /minimum allowable length is 20|localServerUrl/,
  ],
  [
    'a long service reference',
    'SERVICE_MANAGEMENT_REFERENCE',
    'x'.repeat(257),
    /maximum allowable length is 256|serviceManagementReference/,
  ],
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
