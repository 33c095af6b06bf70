/** What the hooks of this project write besides the template, in the words of the what-if. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadPermissions, type Permissions } from '../../app/permissions.ts'
import { readBlock } from '../cli/env-file.ts'
import type { Context } from '../cli/script.ts'
import { Further, NOTHING_FURTHER } from '../whatif/further.ts'

interface Hooks {
  permissions: Pick<Permissions, 'clients' | 'downstreamApis'>
  authorityHost: string
  tenantId: string
  /** Object id of the server's managed identity, once there is one. */
  serverIdentity: string | undefined
  /** Key ids of the secrets in `.env`. */
  secrets: readonly string[]
}

/** Consent for what permissions.json asks for, and the credential of the server's managed identity. */
export const describeHooks = ({ permissions, authorityHost, tenantId, serverIdentity, secrets }: Hooks) =>
  Further.parse({
    consents: permissions.downstreamApis.map(({ appId, displayName, permissions: asked }) => ({
      appId,
      displayName,
      permissions: asked.map(({ value, id }) => ({ value, id })),
    })),
    federatedCredentials: [
      {
        application: 'identity/api',
        name: 'server-managed-identity',
        issuer: `${authorityHost}/${tenantId}/v2.0`,
        subject: serverIdentity,
        holder: 'managed identity of the server',
      },
    ],
    secrets,
    names: Object.fromEntries(permissions.clients.map(({ appId, name }) => [appId, name])),
  })

/** For the template beside `parameters`; one without permissions.json is another project's, which has none of our hooks. */
export const hookObjects =
  (
    { environment, variables, root }: Pick<Context, 'environment' | 'variables' | 'root'>,
    parameters?: string,
  ) =>
  async (tenantId: string): Promise<Further> => {
    const file = parameters && join(dirname(resolve(parameters)), 'permissions.json')
    if (file && !existsSync(file)) return NOTHING_FURTHER
    const { ENTRA_CLIENT_SECRET_ID: secret } = await readBlock(join(root, '.env'), environment.AZURE_ENV_NAME)
    return describeHooks({
      permissions: loadPermissions(environment.TOOL_SETS, file ? pathToFileURL(file) : undefined),
      authorityHost: environment.ENTRA_AUTHORITY_HOST,
      tenantId,
      serverIdentity: variables.SERVER_IDENTITY_PRINCIPAL_ID,
      secrets: secret ? [secret] : [],
    })
  }
