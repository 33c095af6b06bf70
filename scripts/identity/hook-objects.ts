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

interface Known {
  declaration: Declaration
  tenantId: string
  /** Key ids of the secrets in `.env`. */
  secrets: readonly string[]
}

const consentOf = ({ appId, displayName, permissions }: DownstreamApi) => ({
  appId,
  displayName,
  permissions: permissions.map(({ value, id }) => ({ value, id })),
})

/** Consent for what permissions.json asks for, and the credential of the server's managed identity. */
export function describeHooks(
  { environment: { TOOL_SETS, ENTRA_AUTHORITY_HOST }, variables }: Pick<Context, 'environment' | 'variables'>,
  { declaration, tenantId, secrets }: Known,
): Further {
  const { downstreamApis, clients } = selectPermissions(declaration, TOOL_SETS)
  const off = decidedOff(TOOL_SETS, declaration)
  return Further.parse({
    consents: downstreamApis.map(consentOf),
    withdrawn: off.consents.map(consentOf),
    disabledFirst: off.entitlements,
    federatedCredentials: [
      {
        application: 'identity/api',
        name: 'server-managed-identity',
        issuer: `${ENTRA_AUTHORITY_HOST}/${tenantId}/v2.0`,
        // Known once the managed identity is there.
        subject: variables.SERVER_IDENTITY_PRINCIPAL_ID,
        holder: 'managed identity of the server',
      },
    ],
    secrets,
    names: Object.fromEntries(clients.map(({ appId, name }) => [appId, name])),
  })
}

/** For the template beside `parameters`; one without permissions.json is another project's, which has none of our hooks. */
export const hookObjects =
  (context: Pick<Context, 'environment' | 'variables' | 'root'>, parameters?: string) =>
  async (tenantId: string): Promise<Further> => {
    const file = parameters && join(dirname(resolve(parameters)), 'permissions.json')
    if (file && !existsSync(file)) return NOTHING_FURTHER
    const { AZURE_ENV_NAME } = context.environment
    const { ENTRA_CLIENT_SECRET_ID: secret } = await readBlock(join(context.root, '.env'), AZURE_ENV_NAME)
    const declaration = loadDeclaration(file ? pathToFileURL(file) : undefined)
    return describeHooks(context, { declaration, tenantId, secrets: secret ? [secret] : [] })
  }
