import { join } from 'node:path'
import { type Answer, execute, inProject, type World } from './project.ts'
import { SUBSCRIPTION, TENANT, variables } from './worlds.ts'

export const REPOSITORY = 'repos/Contoso/expenses'
export const PRODUCTION = `${REPOSITORY}/environments/production`
export const POLICIES = `${PRODUCTION}/deployment-branch-policies`
export const main = { id: 1, name: 'main', type: 'branch' }
export const restricted = (rules: unknown[] = []) => ({
  deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
  protection_rules: rules,
})
export const repository = (change: object = {}) => ({
  id: 456789,
  name: 'expenses',
  full_name: 'Contoso/expenses',
  default_branch: 'main',
  owner: { id: 123456, login: 'Contoso' },
  permissions: { admin: true },
  ...change,
})
export const subject = {
  use_default: true,
  use_immutable_subject: false,
  sub_claim_prefix: 'repo:Contoso/expenses',
}
export const outputs = Object.fromEntries(
  Object.entries(variables)
    .filter(([name]) => !['AZURE_ENV_NAME', 'AZURE_LOCATION'].includes(name))
    // As Azure Resource Manager returns them.
    .map(([name, value]) => [name.replace('AZURE', 'azurE'), { type: 'String', value }]),
)
export const deploys: Answer = { program: 'az', match: 'sub create', stdout: JSON.stringify(outputs) }
export const view = JSON.stringify({ nameWithOwner: 'contoso/expenses' })
export const viewed: Answer = { program: 'gh', match: 'repo view', stdout: view }

/** A repository that has never had a pipeline, unless told otherwise. */
export const world = (github: Record<string, unknown> = {}, answers: Answer[] = [deploys]): World => ({
  answers: [...answers, viewed],
  github: {
    [REPOSITORY]: repository(),
    'repos/contoso/expenses': repository(),
    [`${REPOSITORY}/actions/oidc/customization/sub`]: subject,
    [POLICIES]: { branch_policies: [] },
    ...github,
  },
  effects: {
    [`PUT ${PRODUCTION}`]: { [PRODUCTION]: restricted() },
    [`POST ${POLICIES}`]: { [POLICIES]: { branch_policies: [main] } },
  },
})
export const azd = {
  AZURE_ENV_NAME: 'dev',
  AZURE_LOCATION: 'westeurope',
  AZURE_SUBSCRIPTION_ID: SUBSCRIPTION,
  AZURE_TENANT_ID: TENANT,
  DIRECTORY_PATIENCE_SECONDS: '0',
}
export const pipeline = (around: World, args: string[] = [], env: Record<string, string> = {}) =>
  inProject(around, (folder, basic) =>
    execute(process.execPath, [join(folder, 'scripts/pipeline.ts'), ...args], folder, {
      ...basic,
      ...azd,
      ...env,
    }),
  )
