/**
 * In a workflow: makes the repository's variables the settings of the following steps, so that a preview, a
 * deployment and a comparison all see the same parameters. Only what infra/main.bicepparam reads is passed on: a
 * repository variable must not become, say, NODE_OPTIONS.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { attempt } from '../cli/program.ts'
import { failed } from './command.ts'
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

export const settingsOf = (variables: NodeJS.Dict<string>, names: string[]): [string, string][] =>
  names.flatMap((name): [string, string][] => {
    const value = variables[name]?.trim()
    if (!value) return []
    // One line each: a line break would set a second variable.
    if (/[\r\n]/.test(value)) throw new Error(`The repository variable ${name} must be one line.`)
    return [[name, value]]
  })

const Tagged = z.object({ tags: z.record(z.string(), z.string()).nullish() })
const Identity = Tagged.extend({ principalId: z.guid() })
const Environment = Tagged.extend({
  properties: z.object({ defaultDomain: z.string().regex(/^[\w.-]+$/) }),
})

/** What of the environment is in its resource group: the deploy identity may look into no other. */
async function owned<T extends z.infer<typeof Tagged>>(
  kind: string,
  environment: string,
  shape: z.ZodType<T>,
): Promise<T[]> {
  // Named as in infra/main.bicep.
  const args = [...kind.split(' '), 'list', '--resource-group', `rg-${environment}`, '--output', 'json']
  const { code, stdout, stderr } = await attempt('az', args)
  // After azd down there is nothing.
  if (code !== 0 && /ResourceGroupNotFound/.test(stderr)) return []
  if (code !== 0) throw failed('az', args, stderr || stdout, READER)
  const all = z.array(shape).parse(JSON.parse(stdout))
  return all.filter(({ tags }) => tags?.['azd-env-name'] === environment)
}

const only = <T>(all: T[]): T | undefined => (all.length === 1 ? all[0] : undefined)

await runStep(
  import.meta,
  { VARIABLES: z.string(), GITHUB_ENV: z.string() },
  async ({ VARIABLES, GITHUB_ENV }) => {
    const variables = z.record(z.string(), z.string()).parse(JSON.parse(VARIABLES))
    const settings = settingsOf(variables, await settingNames())
    const name = settings.find(([key]) => key === 'AZURE_ENV_NAME')?.[1]
    if (!name) throw new Error('The repository has no variable AZURE_ENV_NAME. Run once: npm run pipeline')
    const services = await owned('resource', name, Tagged)
    const found = {
      // As azd knows it: a container app of this environment keeps its image.
      SERVICE_SERVER_RESOURCE_EXISTS: `${services.some(({ tags }) => tags?.['azd-service-name'] === 'server')}`,
      // An output of the last deployment: whom the API app trusts. Without it the what-if leaves that open.
      SERVER_IDENTITY_PRINCIPAL_ID: only(await owned('identity', name, Identity))?.principalId,
      // Another one: the domain of the server's URLs. Without it any host of that form is a finding.
      AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN: only(
        await owned('containerapp env', name, Environment),
      )?.properties.defaultDomain,
    }
    settings.push(...settingsOf(found, Object.keys(found)))
    await appendFile(GITHUB_ENV, settings.map(([key, value]) => `${key}=${value}\n`).join(''))
    console.log(`Settings: ${settings.map(([key]) => key).join(', ')}`)
  },
)
