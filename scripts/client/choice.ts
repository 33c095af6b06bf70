/** Which server is called, and with which client id. */
import { isLoopback } from '../../app/loopback.ts'
import { azdValues } from '../cli/azd.ts'
import { Problem } from '../cli/problem.ts'
import { CLIENT_APP_ID } from '../emulators/seed/apps.ts'
import { LOCAL, type McpServer } from './server.ts'

type Options = Readonly<{
  url: string | undefined
  clientId: string | undefined
  /** Name of an azd environment; undefined: the selected one, if there is any. */
  environment: string | undefined
}>

/** `variables` of the process count more than those of azd, which is asked only where it is needed. */
export function choice(options: Options, variables: Readonly<Record<string, string | undefined>>) {
  // @env SERVER_URL, AZURE_TENANT_ID, ENTRA_PUBLIC_CLIENT_ID Which server `npm run client` calls, and as which client.
  let stored: Promise<Record<string, string>> | undefined
  const azd = () => {
    stored ??= azdValues(options.environment).catch((error: unknown) => {
      if (options.environment || !(error instanceof Problem)) throw error
      return {}
    })
    return stored
  }
  return {
    async url(): Promise<string> {
      return options.url || variables.SERVER_URL || (await azd()).SERVER_URL || LOCAL
    },
    /** That of the azd environment, if it is about the server's tenant. Throws a Problem when no id is known. */
    async clientId({ url, authorityHost, tenantId }: McpServer): Promise<string> {
      if (options.clientId) return options.clientId
      const { AZURE_TENANT_ID, ENTRA_PUBLIC_CLIENT_ID } = { ...(await azd()), ...variables }
      if (ENTRA_PUBLIC_CLIENT_ID && AZURE_TENANT_ID?.toLowerCase() === tenantId) return ENTRA_PUBLIC_CLIENT_ID
      if (isLoopback(new URL(authorityHost))) return CLIENT_APP_ID
      throw new Problem({
        what: `No client id is known for ${url} in the tenant ${tenantId}.`,
        why: 'Entra ID registers no client by itself: each has an id, and the azd environment of this server names it.',
        fix: '--environment <name>, or --client-id <id>    (azd env get-value ENTRA_PUBLIC_CLIENT_ID)',
      })
    },
  }
}
