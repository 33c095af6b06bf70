/** What the hooks of this project write besides the template, in the words of the what-if. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Declaration, loadDeclaration } from '../../app/declaration.ts'
import { type DownstreamApi, selectPermissions } from '../../app/permissions.ts'
import { readBlock } from '../cli/env-file.ts'
import type { Context } from '../cli/script.ts'
import { Further, NOTHING_FURTHER } from '../whatif/further.ts'
import { decidedOff } from './switched-off.ts'

interface Hooks {
  declaration: Declaration
  toolSets?: string | undefined
  authorityHost: string
  tenantId: string
  /** Object id of the server's managed identity, once there is one. */
  serverIdentity: string | undefined
  /** Key ids of the secrets in `.env`. */
  secrets: readonly string[]
}

const consentOf = ({ appId, displayName, permissions }: DownstreamApi) => ({
  appId,
  displayName,
  permissions: permissions.map(({ value, id }) => ({ value, id })),
})

/** Consent for what permissions.json asks for, and the credential of the server's managed identity. */
export function describeHooks(hooks: Hooks): Further {
  const { declaration, toolSets, authorityHost, tenantId, serverIdentity, secrets } = hooks
  const { downstreamApis, clients } = selectPermissions(declaration, toolSets)
  const off = decidedOff(toolSets, declaration)
  return Further.parse({
    consents: downstreamApis.map(consentOf),
    withdrawn: off.consents.map(consentOf),
    disabledFirst: off.entitlements,
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
    names: Object.fromEntries(clients.map(({ appId, name }) => [appId, name])),
  })
}

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
      declaration: loadDeclaration(file ? pathToFileURL(file) : undefined),
      toolSets: environment.TOOL_SETS,
      authorityHost: environment.ENTRA_AUTHORITY_HOST,
      tenantId,
      serverIdentity: variables.SERVER_IDENTITY_PRINCIPAL_ID,
      secrets: secret ? [secret] : [],
    })
  }
