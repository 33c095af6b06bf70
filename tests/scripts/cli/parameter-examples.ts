/** For every variable that infra/main.bicepparam reads: what somebody may set, and what must be refused. */

interface Examples {
  accepted: readonly string[]
  /** A text: why no value is refused. */
  refused: readonly string[] | string
}

const ID = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd'
const flag: Examples = { accepted: ['true', 'false', 'TRUE', ''], refused: ['perhaps', '1', 'yes', 'true '] }
const id: Examples = {
  accepted: [ID, ID.toUpperCase(), ''],
  refused: ['alice@contoso.com', ID.slice(1), `${ID}0`, `${ID},${ID}`],
}

export const EXAMPLES: Record<string, Examples> = {
  AZURE_ENV_NAME: {
    accepted: ['dev', 'x', 'a.b_c-(1)', 'a'.repeat(40)],
    refused: ['dev.', '.', 'a b', 'a/b', 'dév', 'a'.repeat(41)],
  },
  AZURE_LOCATION: {
    accepted: ['westeurope', 'West Europe', 'eastus2'],
    refused: ['west-europe', 'west/europe', '1'],
  },
  AZURE_PRINCIPAL_ID: id,
  AZURE_PRINCIPAL_TYPE: { accepted: ['User', 'ServicePrincipal', ''], refused: ['Robot', 'user', 'Group'] },
  CI: {
    accepted: ['true', '1', 'false', '0', ''],
    refused: 'build services set words of their own; each of them means a pipeline',
  },
  SERVICE_SERVER_RESOURCE_EXISTS: flag,
  ADMIN_MEMBERS: {
    accepted: [ID, ` ${ID} , ${ID},`, ''],
    refused: ['alice@contoso.com', `${ID};${ID}`, `${ID},admins`],
  },
  EXISTING_ADMIN_GROUP_ID: id,
  RESTRICT_TO_ASSIGNED_USERS: flag,
  EXTRA_CLIENTS: {
    accepted: [ID, `${ID},${ID.toUpperCase()}`, ''],
    refused: [
      'vscode',
      `${ID},vscode`,
      Array.from({ length: 51 }, (_, at) => ID.slice(0, -2) + (at + 10)).join(),
    ],
  },
  EXTRA_SERVER_URLS: {
    accepted: [
      'https://mcp.contoso.com/mcp',
      'https://a.contoso.com/mcp, https://b.contoso.com:8443/mcp',
      'https://a.contoso.com/mcp,https://a.contoso.com/mcp',
      '',
    ],
    refused: [
      'http://a.contoso.com/mcp',
      'https://a.contoso.com/mcp/',
      'https://a.contoso.com/api/mcp',
      'https://a.contoso.com',
      'https://A.contoso.com/mcp',
      'https://user@a.contoso.com/mcp',
      'https://user:word@a.contoso.com/mcp',
      'https://a.contoso.com/mcp?x=1',
      'https://a.contoso.com?x/mcp',
      'https://a.contoso.com/mcp#x',
      'https:///mcp',
      'https://a.contoso.com/mcp,https://b.contoso.com/MCP',
      Array.from({ length: 11 }, (_, at) => `https://a${at}.contoso.com/mcp`).join(),
    ],
  },
  ALLOWED_ORIGINS: {
    accepted: [
      'https://inspector.contoso.com',
      'https://a.contoso.com:8443, http://localhost:6274,https://a.contoso.com:8443',
      'http://127.0.0.1:6274',
      '',
    ],
    refused: [
      '*',
      'null',
      'http://a.contoso.com',
      'https://a.contoso.com/',
      'https://A.contoso.com',
      'https://user@a.contoso.com',
      'https://a.contoso.com/page',
      'a.contoso.com',
      Array.from({ length: 11 }, (_, at) => `https://a${at}.contoso.com`).join(),
    ],
  },
  TOOL_SETS: {
    accepted: ['expenses', ' profile , expenses', 'profile,profile', ''],
    refused: ['spending', 'expenses,', 'expenses,,profile', ' ', 'Expenses', 'expenses profile'],
  },
  SERVICE_MANAGEMENT_REFERENCE: { accepted: ['SVC-42', ''], refused: ['x'.repeat(257)] },
  SEARCH_SKU: { accepted: ['free', 'basic', ''], refused: ['Free', 'standard', '0'] },
  MIN_REPLICAS: { accepted: ['0', '10', ''], refused: ['-1', '31', 'many', '1.5', '11'] },
  MAX_REPLICAS: { accepted: ['1', '100', ''], refused: ['0', '101', 'many', '1e1'] },
  ALERT_EMAIL: {
    accepted: ['operator@contoso.com', ''],
    refused: ['me', 'operator@', 'a@contoso.com,b@contoso.com', `${'a'.repeat(250)}@b.io`],
  },
  ALLOW_DEVICE_CODE: flag,
  LOCAL_DEVELOPMENT: flag,
  LOCAL_SERVER_URL: {
    accepted: [
      'http://localhost:8081/mcp',
      'http://127.0.0.1:8080/mcp',
      'http://[::1]:8080/mcp',
      'http://localhost/mcp',
      'https://dev.contoso.com/mcp',
      '',
    ],
    refused: [
      'http://localhost:8080/mcp/',
      'http://localhost:8080/',
      'http://localhost:8080/api/mcp',
      'http://user@localhost:8080/mcp',
      'http://localhost:8080/mcp?x=1',
      'http://localhost:8080/mcp#x',
      'http://dev.contoso.com/mcp',
      'https:////////////////mcp',
      'ftp://localhost:8080/mcp',
      'localhost',
      `http://localhost:8080/${'a'.repeat(90)}/mcp`,
    ],
  },
}
