/** `npm run pipeline`: lets GitHub Actions review and deploy this environment, without a secret anywhere. */

import { Problem } from './cli/problem.ts'
import { type Context, runScript } from './cli/script.ts'
import { LABEL } from './github/approval.ts'
import { run } from './github/command.ts'
import { approvals, deployed, type Outputs } from './github/pipeline-deployment.ts'
import { restrictProduction } from './github/production.ts'
import { type GitHubRepository, repositoryOf } from './github/repository.ts'
import { settingNames, settingsOf } from './github/settings.ts'

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
  const description = 'Identity changes of high risk have been read and approved'
  const about = ['--color', 'B60205', '--description', description]
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
    takesWord: true,
  },
  async (context, { switches, word }) => {
    if (switches.has('explain'))
      return context.print(approvals(context.environment.RESTRICT_TO_ASSIGNED_USERS))
    await pipeline(context, word)
  },
)
