/** `npm run pipeline`: lets GitHub Actions review and deploy this environment, without a secret anywhere. */
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { signInRemedyOf } from './directory/sign-in-remedies.ts'
import { LABEL } from './github/approval.ts'
import { attempt, run } from './github/command.ts'
import { approvals } from './github/pipeline-rights.ts'
import { restrictProduction } from './github/production.ts'
import { type GitHubRepository, repositoryOf } from './github/repository.ts'
import { settingNames, settingsOf } from './github/settings.ts'
import { Problem } from './hooks/problem.ts'
import { type Context, runScript } from './hooks/script.ts'

const Answer = z.record(z.string(), z.object({ value: z.string() }))
const guid = z.guid()
const Outputs = z.object({
  AZURE_TENANT_ID: guid,
  AZURE_SUBSCRIPTION_ID: guid,
  AZURE_REVIEW_CLIENT_ID: guid,
  AZURE_DEPLOY_CLIENT_ID: guid,
})
type Outputs = z.infer<typeof Outputs>

// A fresh managed identity is unknown to Microsoft Graph and to role assignments for minutes.
const NOT_YET =
  /PrincipalNotFound|Request_ResourceNotFound|does not exist in the directory|does not exist or one of its queried/i
const FORBIDDEN = /AuthorizationFailed|Authorization_RequestDenied|Insufficient privileges|Forbidden/i

function failure(message: string, restricted: boolean): Problem {
  const what = `az deployment sub create failed: ${message.trim()}`
  const known = signInRemedyOf(message, 'az login')
  if (known) return new Problem({ what, why: known.cause, fix: known.fix })
  const forbidden = FORBIDDEN.test(message)
  return new Problem({
    what,
    why: forbidden
      ? `Giving these rights takes Owner of the subscription and, in Entra ID, Privileged Role Administrator:\n${approvals(restricted)}`
      : 'The identities of the pipeline are not there, or only in part.',
    fix: forbidden
      ? 'Let an administrator run: npm run pipeline    (az login, gh auth login)'
      : 'npm run pipeline    (it may be repeated; sign in with: az login)',
  })
}

/** Deploys infra/pipeline.bicep; repeats while the fresh identities are still unknown. */
async function deployed(context: Context, repository: GitHubRepository): Promise<Outputs> {
  const { environment, variables } = context
  const { AZURE_ENV_NAME, AZURE_SUBSCRIPTION_ID, RESTRICT_TO_ASSIGNED_USERS: restricted } = environment
  const env = {
    AZURE_ENV_NAME,
    AZURE_LOCATION: variables.AZURE_LOCATION ?? '',
    GITHUB_REPOSITORY_OWNER: repository.owner,
    GITHUB_REPOSITORY_NAME: repository.name,
    GITHUB_REPOSITORY_OWNER_ID: repository.ids?.owner ?? '',
    GITHUB_REPOSITORY_ID: repository.ids?.repository ?? '',
    RESTRICT_TO_ASSIGNED_USERS: String(restricted),
  }
  const place = ['--subscription', AZURE_SUBSCRIPTION_ID, '--location', env.AZURE_LOCATION]
  const args = ['deployment', 'sub', 'create', '--name', `pipeline-${AZURE_ENV_NAME}`, ...place]
  const what = [
    '--parameters',
    'infra/pipeline.bicepparam',
    '--query',
    'properties.outputs',
    '--output',
    'json',
  ]
  for (let tries = 1; ; tries++) {
    const { code, stdout, stderr } = await attempt('az', [...args, ...what], { env })
    if (code === 0) {
      // Azure Resource Manager changes the case of output names.
      const outputs = Object.entries(Answer.parse(JSON.parse(stdout)))
      return Outputs.parse(
        Object.fromEntries(outputs.map(([name, { value }]) => [name.toUpperCase(), value])),
      )
    }
    if (!NOT_YET.test(stderr) || tries === 10) throw failure(stderr || stdout, restricted)
    context.print('  the fresh identities are not known everywhere yet: once more')
    await pause(environment.DIRECTORY_PATIENCE_SECONDS * 100)
  }
}

async function setVariables(context: Context, { fullName }: GitHubRepository, outputs: Outputs) {
  const { AZURE_DEPLOY_CLIENT_ID, ...shared } = outputs
  const fix = 'gh auth login    (as an administrator of the repository)'
  const set = (name: string, value: string, more: string[] = []) =>
    run('gh', ['variable', 'set', name, '--repo', fullName, '--body', value, ...more], { fix })
  const all = { ...context.variables, ...shared }
  const settings = settingsOf(all, await settingNames())
  for (const [name, value] of settings) await set(name, value)
  await set('AZURE_DEPLOY_CLIENT_ID', AZURE_DEPLOY_CLIENT_ID, ['--env', 'production'])
  // Last: the workflows do nothing until it is there.
  await set('AZURE_REVIEW_CLIENT_ID', shared.AZURE_REVIEW_CLIENT_ID)
  const about = [
    '--color',
    'B60205',
    '--description',
    'Identity changes of high risk have been read and approved',
  ]
  await run('gh', ['label', 'create', LABEL, '--repo', fullName, '--force', ...about], { fix })
  return settings.map(([name]) => name)
}

export async function pipeline(context: Context, named: string | undefined): Promise<void> {
  const { environment, print, variables } = context
  if (!variables.AZURE_LOCATION)
    throw new Problem({
      what: 'AZURE_LOCATION is missing.',
      why: 'The identities are made in the region of the environment.',
      fix: 'azd env set AZURE_LOCATION <region>',
    })
  const repository = await repositoryOf(named)
  print(`Repository ${repository.fullName}, azd environment ${environment.AZURE_ENV_NAME}`)
  // First of all: an identity that trusts "production" must not exist while anybody may use that name.
  const { reviewed } = await restrictProduction(repository.fullName)
  print('✓ environment production: branch main only')
  const outputs = await deployed(context, repository)
  print('✓ identities, subjects and rights')
  const settings = await setVariables(context, repository, outputs)
  print(`✓ repository variables: ${settings.join(', ')}`)
  if (!reviewed)
    print('! nobody has to approve a deployment: Settings > Environments > production > Required reviewers')
  if (!settings.includes('ADMIN_MEMBERS') && !environment.EXISTING_ADMIN_GROUP_ID)
    print('! ADMIN_MEMBERS is not set: the pipeline puts nobody into the admin group')
  print(`\nRights that are in force now:\n${approvals(environment.RESTRICT_TO_ASSIGNED_USERS)}`)
  print('\nStill to be done by an administrator of the repository: docs/pipeline.md, "Protect main".')
}

await runScript(
  import.meta,
  {
    help: `
npm run pipeline -- [--explain] [owner/repository]
Lets GitHub Actions review and deploy this azd environment: restricts the GitHub environment "production" to the
branch main, deploys infra/pipeline.bicep, sets the repository's variables. May be repeated. No secret is made.
Needs az and gh, signed in; Owner of the subscription; Privileged Role Administrator in Entra ID; administrator of
the repository. --explain only prints the rights that an administrator is asked to approve.`,
    switches: ['explain'],
    words: ['owner/repository'],
  },
  async (context, { switches, words }) => {
    if (switches.has('explain'))
      return context.print(approvals(context.environment.RESTRICT_TO_ASSIGNED_USERS))
    await pipeline(context, words[0])
  },
)
