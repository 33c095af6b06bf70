/** Deploys infra/pipeline.bicep for `npm run pipeline`, and says what is missing where that fails. */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import { attempt } from '../cli/program.ts'
import { signInRemedyOf } from '../cli/remedies.ts'
import type { Context } from '../cli/script.ts'
import type { GitHubRepository } from './repository.ts'

export const REVIEW_GRAPH = ['Application.Read.All', 'DelegatedPermissionGrant.Read.All', 'Group.Read.All']
export const DEPLOY_GRAPH = [
  'Application.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Group.ReadWrite.All',
] as const
/** Only where users are assigned to the app. */
export const ASSIGN_GRAPH = ['AppRoleAssignment.ReadWrite.All'] as const

/** `restricted`: whether only assigned users get a token. */
export const approvals = (restricted: boolean): string =>
  `  Review identity: pull requests and branch main; reads only
    Azure, subscription:     Reader, Deployment preview (what-if and validate)
    Microsoft Graph:         ${REVIEW_GRAPH.join(', ')}
  Deploy identity: GitHub environment production, branch main only; writes
    Azure, subscription:     Subscription deployment (starts deployments, reads how they went; changes nothing alone)
    Azure, resource group:   Contributor; Role Based Access Control Administrator for AcrPull and Monitoring
                             Metrics Publisher, to service principals only
    Microsoft Graph:         ${[...DEPLOY_GRAPH, ...(restricted ? ASSIGN_GRAPH : [])].join(', ')}
  The Graph rights of the deploy identity reach the whole tenant${
    restricted
      ? '; AppRoleAssignment.ReadWrite.All can give\n  any right to anybody and is not needed with RESTRICT_TO_ASSIGNED_USERS=false'
      : ''
  }.`

const Answer = z.record(z.string(), z.object({ value: z.string() }))
const Outputs = z.object({
  AZURE_TENANT_ID: z.guid(),
  AZURE_SUBSCRIPTION_ID: z.guid(),
  AZURE_REVIEW_CLIENT_ID: z.guid(),
  AZURE_DEPLOY_CLIENT_ID: z.guid(),
})
export type Outputs = z.infer<typeof Outputs>

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

/**
 * `azd down` takes every deployment whose name contains that of its environment for its own, and deletes what it made:
 * the identities and their resource group. A name without the first letter of the environment's cannot contain it.
 */
export function deploymentName(environment: string): string {
  const own = createHash('sha256').update(environment).digest('hex')
  const first = environment.slice(0, 1).toLowerCase()
  return `pipeline-${own.slice(0, 40)}`.replaceAll(first, '')
}

/** Deploys infra/pipeline.bicep; repeats while the fresh identities are still unknown. */
export async function deployed(context: Context, repository: GitHubRepository): Promise<Outputs> {
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
  const args = [
    ...['deployment', 'sub', 'create', '--name', deploymentName(AZURE_ENV_NAME)],
    ...['--subscription', AZURE_SUBSCRIPTION_ID, '--location', env.AZURE_LOCATION],
    ...['--parameters', 'infra/pipeline.bicepparam'],
    ...['--query', 'properties.outputs', '--output', 'json'],
  ]
  for (let tries = 1; ; tries++) {
    const { code, stdout, stderr } = await attempt('az', args, { env })
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
