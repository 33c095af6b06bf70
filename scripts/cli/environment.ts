/** The azd environment that a script works on: what hooks are given, or, run alone, what azd says. */
import { z } from 'zod'
import { isLoopback, safeUrl } from '../../app/loopback.ts'
import { isPipeline } from '../bicep/compiler.ts'
import { azdValues } from './azd.ts'
import { itemsOf } from './parameters.ts'
import { Problem } from './problem.ts'

const flag = (usual: boolean) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false'], 'should be true or false'))
    .transform((value) => value === 'true')
    .default(usual)
const guid = z.guid('should be a GUID').toLowerCase()
const list = z.string().transform(itemsOf).default([])
const ids = list.transform((all) => [...new Set(all.map((id) => id.toLowerCase()))])
const isHere = (value: string) => {
  const url = safeUrl(value)
  return url !== undefined && isLoopback(url)
}
/** A token is sent there: https, or http on this machine. */
const endpoint = z
  .string()
  .refine(safeUrl, 'should be an https URL (http on localhost only)')
  .transform((value) => value.replace(/\/+$/, ''))
// Ids, subjects and hosts of other clouds differ in places that no variable reaches.
const hostOf = (origin: string) =>
  endpoint.refine(
    (value) => value === origin || isHere(value),
    `should be ${origin}: this template is for the public cloud only`,
  )

/** A token of the operator's is sent there. */
const isSearchService = (value: string) =>
  /^https:\/\/[a-z0-9-]+\.search\.windows\.net$/.test(value) || isHere(value)

const patience = 'should be a number of seconds from 0 to 3600'
/** What is described is for an operator to set: docs/configuration.md has it. */
export const Environment = z.object({
  AZURE_ENV_NAME: z.string().min(1),
  AZURE_SUBSCRIPTION_ID: guid.describe('The subscription to deploy to; azd asks for it.'),
  /** Not known before the first deployment, nor after `azd down`. */
  AZURE_TENANT_ID: guid.optional(),
  // What infra/main.bicepparam reads, read the same way.
  ADMIN_MEMBERS: ids,
  EXISTING_ADMIN_GROUP_ID: guid.optional(),
  RESTRICT_TO_ASSIGNED_USERS: flag(true),
  EXTRA_CLIENTS: ids,
  EXTRA_SERVER_URLS: list,
  LOCAL_DEVELOPMENT: flag(true),
  TOOL_SETS: z.string().optional(),
  LOCAL_SERVER_URL: z.string().default('http://localhost:8080/mcp'),
  // Outputs of a deployment that are looked at where there may be none.
  ENTRA_CLIENT_ID: guid.optional(),
  ENTRA_DEV_CLIENT_ID: guid.optional(),
  ENTRA_PUBLIC_CLIENT_ID: guid.optional(),
  ENTRA_API_APP_UNIQUE_NAME: z.string().optional(),
  ENTRA_USERS_GROUP_ID: guid.optional(),
  ENTRA_ADMIN_GROUP_ID: guid.optional(),
  // How the scripts behave.
  GRAPH_ENDPOINT: hostOf('https://graph.microsoft.com')
    .default('https://graph.microsoft.com')
    .describe('Microsoft Graph, or an emulator on this machine.'),
  ENTRA_AUTHORITY_HOST: hostOf('https://login.microsoftonline.com')
    .default('https://login.microsoftonline.com')
    .describe('Entra ID, or an emulator on this machine.'),
  DIRECTORY_PATIENCE_SECONDS: z.coerce
    .number(patience)
    .min(0, patience)
    .max(3600, patience)
    .default(300)
    .describe(
      'How long a request to Microsoft Graph is repeated, and how long the scripts wait for a new object to become visible.',
    ),
  CONSENT_REQUIRED: flag(false).describe('`true`: the deployment fails if consent is missing.'),
  KEEP_IDENTITY: flag(false).describe('`true`: `azd down` keeps the apps, service principals and groups.'),
  CI: z.string().transform(isPipeline).default(false),
})
export type Environment = z.infer<typeof Environment>

const Deployment = z.object({
  AZURE_TENANT_ID: guid,
  SERVER_URL: z.url(),
  SERVER_IDENTITY_PRINCIPAL_ID: guid,
  ENTRA_CLIENT_ID: guid,
  ENTRA_API_APP_OBJECT_ID: guid,
  ENTRA_API_APP_UNIQUE_NAME: z.string(),
  ENTRA_API_PRINCIPAL_ID: guid,
  ENTRA_PUBLIC_CLIENT_ID: guid,
  ENTRA_ADMIN_GROUP_ID: guid,
  ENTRA_USERS_GROUP_ID: guid,
  ALLOWED_CLIENTS: z.string().default(''),
  ENTRA_DEV_CLIENT_ID: guid.optional(),
  ENTRA_DEV_APP_OBJECT_ID: guid.optional(),
  ENTRA_DEV_PRINCIPAL_ID: guid.optional(),
  LOCAL_DEVELOPMENT_URL: z.url().optional(),
  COSMOS_ENDPOINT: z.url(),
  COSMOS_DATABASE: z.string(),
  COSMOS_CONTAINER: z.string(),
  /** With the tool set documents only. */
  SEARCH_ENDPOINT: z
    .string()
    .refine(isSearchService, 'should be https://<service>.search.windows.net')
    .optional(),
})
/** The outputs of infra/main.bicep that the scripts need. */
export type Deployment = z.infer<typeof Deployment>

export type Surroundings = Readonly<{ environment: Environment; variables: Readonly<Record<string, string>> }>

/** azd stores "not set" as an empty text. */
const set = (variables: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : [])),
  )

function parsed<T>(shape: z.ZodType<T>, variables: Record<string, string>, fix: string): T {
  const result = shape.safeParse(variables)
  if (result.success) return result.data
  const faults = result.error.issues.map(({ path, message }) => {
    const name = String(path[0])
    return `${name} ${variables[name] === undefined ? 'is missing' : message}`
  })
  throw new Problem({
    what: `${faults.join('; ')}.`,
    why: 'The script would work on the wrong objects, or on none.',
    fix,
  })
}

export const environmentOf = (variables: NodeJS.ProcessEnv): Environment =>
  parsed(Environment, set(variables), 'azd env set <NAME> <value>    (azd env get-values shows what is set)')

/** Stands for the subscription until azd has asked for it: azd provision runs preprovision before that. */
export const NOT_ASKED_YET = '00000000-0000-0000-0000-000000000000'

/** What azd would say of a new environment, for what needs neither azd nor a deployment. */
export const NEW_ENVIRONMENT: Readonly<Record<string, string>> = {
  AZURE_ENV_NAME: 'dev',
  AZURE_LOCATION: 'westeurope',
  AZURE_SUBSCRIPTION_ID: NOT_ASKED_YET,
}

/**
 * Reads the environment; `name` chooses another azd environment than the selected one. `usual` counts where none is
 * selected, or azd is not there; without it that is a Problem. `early`: azd may not have asked for the subscription.
 */
export async function surroundings(
  name?: string,
  usual?: Readonly<Record<string, string>>,
  early = false,
): Promise<Surroundings> {
  const own = set(process.env)
  const stored = async () => {
    try {
      return set(await azdValues(name ?? own.AZURE_ENV_NAME))
    } catch (error) {
      if (name || !usual || !(error instanceof Problem)) throw error
      return usual
    }
  }
  // azd gives its hooks these two and everything else; who runs a script alone has neither, or only the first.
  const isHook = own.AZURE_ENV_NAME && own.AZURE_SUBSCRIPTION_ID
  const variables = !name && isHook ? own : { ...(await stored()), ...(name ? {} : own) }
  // What a command line says about a script's behaviour counts also when the environment is chosen by name.
  for (const switched of ['CONSENT_REQUIRED', 'KEEP_IDENTITY', 'CI', 'DIRECTORY_PATIENCE_SECONDS']) {
    const value = own[switched]
    if (value) variables[switched] = value
  }
  const assumed = early ? { AZURE_SUBSCRIPTION_ID: NOT_ASKED_YET } : {}
  return { environment: environmentOf({ ...assumed, ...variables }), variables }
}

/** What has been deployed; throws a Problem before the first deployment and after `azd down`. */
export const deploymentOf = ({ variables }: Surroundings): Deployment =>
  parsed(Deployment, set(variables), 'azd provision')
