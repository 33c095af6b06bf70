/**
 * In a workflow: makes the repository's variables the settings of the following steps, so that a preview, a
 * deployment and a comparison all see the same parameters. Only what infra/main.bicepparam reads is passed on: a
 * repository variable must not become, say, NODE_OPTIONS.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { attempt, failed } from './command.ts'
import { runStep } from './step.ts'

const READER = 'npm run pipeline    (it lets the identity read the resource group)'
// Said by azd, by the runner, or found out below.
const NOT_SETTINGS = ['AZURE_PRINCIPAL_ID', 'AZURE_PRINCIPAL_TYPE', 'CI', 'SERVICE_SERVER_RESOURCE_EXISTS']
const ALWAYS = ['AZURE_SUBSCRIPTION_ID', 'AZURE_TENANT_ID']

/** The variables that a person may set, from the one place that reads them. */
export async function settingNames(): Promise<string[]> {
  const text = await readFile(new URL('../../infra/main.bicepparam', import.meta.url), 'utf8')
  const names = Array.from(text.matchAll(/readEnvironmentVariable\('(\w+)'/g), ([, name = '']) => name)
  return [...new Set([...ALWAYS, ...names])].filter((name) => !NOT_SETTINGS.includes(name))
}

export const settingsOf = (variables: Record<string, string>, names: string[]): [string, string][] =>
  names.flatMap((name): [string, string][] => {
    const value = variables[name]?.trim()
    if (!value) return []
    // One line each: a line break would set a second variable.
    if (/[\r\n]/.test(value)) throw new Error(`The repository variable ${name} must be one line.`)
    return [[name, value]]
  })

const Found = z.array(z.object({ tags: z.record(z.string(), z.string()).nullish() }))

const Identities = z.array(
  z.object({ principalId: z.guid(), tags: z.record(z.string(), z.string()).nullish() }),
)

const Environments = z.array(
  z.object({
    properties: z.object({ defaultDomain: z.string().regex(/^[\w.-]+$/) }),
    tags: z.record(z.string(), z.string()).nullish(),
  }),
)

/** What is in the environment's resource group: the deploy identity may look into no other. */
async function listed<T extends z.ZodType>(kind: string, environment: string, shape: T): Promise<z.infer<T>> {
  // Named as in infra/main.bicep.
  const args = [...kind.split(' '), 'list', '--resource-group', `rg-${environment}`, '--output', 'json']
  const { code, stdout, stderr } = await attempt('az', args)
  // After azd down there is nothing.
  if (code !== 0 && /ResourceGroupNotFound/.test(stderr)) return shape.parse([])
  if (code !== 0) throw failed('az', args, stderr || stdout, READER)
  return shape.parse(JSON.parse(stdout))
}

/** An output of the last deployment: whom the API app trusts. Without it the what-if leaves that open. */
async function serverIdentity(environment: string): Promise<string | undefined> {
  const all = await listed('identity', environment, Identities)
  const own = all.filter(({ tags }) => tags?.['azd-env-name'] === environment)
  return own.length === 1 ? own[0]?.principalId : undefined
}

/** Another one: the domain of the server's URLs. Without it any host of that form is a finding. */
async function defaultDomain(environment: string): Promise<string | undefined> {
  const all = await listed('containerapp env', environment, Environments)
  const own = all.filter(({ tags }) => tags?.['azd-env-name'] === environment)
  return own.length === 1 ? own[0]?.properties.defaultDomain : undefined
}

/** As azd knows it: a container app of this environment keeps its image. */
async function serverExists(environment: string): Promise<boolean> {
  const all = await listed('resource', environment, Found)
  return all.some(
    ({ tags }) => tags?.['azd-env-name'] === environment && tags['azd-service-name'] === 'server',
  )
}

await runStep(
  import.meta,
  { VARIABLES: z.string(), GITHUB_ENV: z.string() },
  async ({ VARIABLES, GITHUB_ENV }) => {
    const variables = z.record(z.string(), z.string()).parse(JSON.parse(VARIABLES))
    const settings = settingsOf(variables, await settingNames())
    const name = settings.find(([key]) => key === 'AZURE_ENV_NAME')?.[1]
    if (!name) throw new Error('The repository has no variable AZURE_ENV_NAME. Run once: npm run pipeline')
    settings.push(['SERVICE_SERVER_RESOURCE_EXISTS', String(await serverExists(name))])
    const identity = await serverIdentity(name)
    if (identity) settings.push(['SERVER_IDENTITY_PRINCIPAL_ID', identity])
    const domain = await defaultDomain(name)
    if (domain) settings.push(['AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN', domain])
    await appendFile(GITHUB_ENV, settings.map(([key, value]) => `${key}=${value}\n`).join(''))
    console.log(`Settings: ${settings.map(([key]) => key).join(', ')}`)
  },
)
