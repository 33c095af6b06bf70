import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { loadPermissions } from '../../app/permissions.ts'
import { platformOf } from '../../scripts/emulators/entra/redirects.ts'
import { clientApplication } from '../../scripts/emulators/seed/apps.ts'
import { Prediction } from './prediction.ts'
import { parameterSets, snapshotFile } from './snapshots.ts'

const permissions = loadPermissions()
const client = clientApplication(permissions)

/** What MCP clients send, with the ports that they happen to get. */
const SENT = {
  'VS Code': ['http://127.0.0.1:33418/', 'http://localhost:51234', 'https://vscode.dev/redirect'],
  'VS Code Insiders': ['https://insiders.vscode.dev/redirect'],
  'MCP Inspector': ['http://localhost:6274/oauth/callback', 'http://127.0.0.1:6274/oauth/callback/debug'],
  'MCP Inspector, step by step': ['http://localhost:6274/oauth/callback/debug'],
  'Cline, opencode': ['http://127.0.0.1:19876/mcp/oauth/callback'],
  'Cursor, Claude Code': ['http://localhost:8787/callback', 'http://127.0.0.1:8787/callback'],
}

describe('The redirect URIs of the public client', () => {
  it('are one list: permissions.json, what is deployed, and what npm start accepts', async () => {
    assert.deepEqual(client.publicClient.redirectUris, permissions.redirectUris)
    for (const set of Object.keys(parameterSets)) {
      const { predictedResources } = Prediction.parse(JSON.parse(await readFile(snapshotFile(set), 'utf8')))
      const declared = predictedResources.filter(({ properties }) =>
        String(properties?.uniqueName).startsWith('mcp-expenses-client-'),
      )
      assert.deepEqual(
        declared.map(({ properties }) => properties?.publicClient),
        [{ redirectUris: permissions.redirectUris }],
        set,
      )
    }
  })

  for (const [name, uris] of Object.entries(SENT))
    it(`let ${name} sign in`, () => {
      for (const uri of uris) assert.equal(platformOf(client, uri), 'public', uri)
    })

  it('let nothing else in, on this machine or elsewhere', () => {
    for (const uri of ['http://localhost/other', 'http://127.0.0.1:5000/cb', 'https://contoso.com/callback'])
      assert.equal(platformOf(client, uri), undefined, uri)
  })
})
