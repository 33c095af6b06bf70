import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import {
  ASSIGN_GRAPH,
  approvals,
  DEPLOY_GRAPH,
  REVIEW_GRAPH,
} from '../../../scripts/github/pipeline-deployment.ts'
import { runBicep } from '../../infra/bicep.ts'
import { withoutCompiler } from '../../infra/deployments.ts'
import { predict } from '../../infra/prediction.ts'
import { asText, pipelineSets, target } from '../../infra/snapshots.ts'

import {
  committed,
  customRoles,
  deploymentOf,
  infra,
  rightsIn,
  setOf,
  subjectsIn,
} from './predicted-rights.ts'

const review = [
  ...REVIEW_GRAPH.map((role) => `review: ${role} on Microsoft Graph`),
  'review: Deployment preview (dev) on subscription',
  'review: Reader on subscription',
]
const deploy = [
  ...DEPLOY_GRAPH.map((role) => `deploy: ${role} on Microsoft Graph`),
  'deploy: Contributor on rg-dev',
  'deploy: Role Based Access Control Administrator on rg-dev',
  'deploy: Subscription deployment (dev) on subscription',
]

describe('The identities of the pipeline', () => {
  it('have these rights and no other', async () => {
    const assign = ASSIGN_GRAPH.map((role) => `deploy: ${role} on Microsoft Graph`)
    const rights = rightsIn(await deploymentOf('pipeline'))
    assert.deepEqual(rights, [...review, ...deploy, ...assign].toSorted())
  })

  it('need no right to assign app roles where nobody is assigned to the app', async () => {
    assert.deepEqual(rightsIn(await deploymentOf('pipeline-immutable')), [...review, ...deploy].toSorted())
  })

  it('trust GitHub for these subjects and no other', async () => {
    assert.deepEqual(subjectsIn(await deploymentOf('pipeline')), {
      review: ['repo:Contoso/expenses:pull_request', 'repo:Contoso/expenses:ref:refs/heads/main'],
      deploy: ['repo:Contoso/expenses:environment:production'],
    })
  })

  it('trust numeric ids where GitHub uses immutable subjects', async () => {
    assert.deepEqual(subjectsIn(await deploymentOf('pipeline-immutable')), {
      review: [
        'repo:Contoso@123456/expenses@456789:pull_request',
        'repo:Contoso@123456/expenses@456789:ref:refs/heads/main',
      ],
      deploy: ['repo:Contoso@123456/expenses@456789:environment:production'],
    })
  })

  it('are two: what a pull request signs in as can write nowhere', async () => {
    for (const set of Object.keys(pipelineSets)) {
      const prediction = await deploymentOf(set)
      const reached = Object.entries(subjectsIn(prediction)).filter(([, subjects]) =>
        subjects.some((subject) => /:pull_request$|:ref:/.test(subject)),
      )
      assert.deepEqual(
        reached.map(([who]) => who),
        ['review'],
      )
      const held = rightsIn(prediction).filter((right) => right.startsWith('review:'))
      assert.equal(held.length, 5)
      for (const right of held)
        assert.match(right, /: (Reader|Deployment preview \(dev\)|\w+\.Read\.All) on /)
      const [preview] = customRoles(prediction).filter(({ roleName }) =>
        roleName.startsWith('Deployment preview'),
      )
      assert.deepEqual(preview?.permissions[0].actions, [
        'Microsoft.Resources/deployments/validate/action',
        'Microsoft.Resources/deployments/whatIf/action',
      ])
    }
  })

  it('cannot change themselves: they are outside the group that the deploy identity writes to', async () => {
    const { predictedResources } = await deploymentOf('pipeline')
    const identities = predictedResources.filter(({ type }) => type.includes('userAssignedIdentities'))
    assert.equal(identities.length, 5)
    for (const { id } of identities) assert.match(id ?? '', /\/resourceGroups\/rg-dev-pipeline\//)
  })

  it('can make nobody an owner: three roles, to service principals, given and taken', async () => {
    const { predictedResources } = await deploymentOf('pipeline')
    const condition = predictedResources.flatMap(({ properties }) => properties?.condition ?? [])
    const only = (attributes: string) =>
      `@${attributes}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {7f951dda-4ed3-4680-a7ca-43fe172d538d, 3913510d-42f4-4e42-8a64-420c390055eb, 1407120a-92aa-4202-b7e9-c0e197c71c8f} AND @${attributes}[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}`
    const clause = (action: string, attributes: string) =>
      `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'})) OR (${only(attributes)}))`
    assert.deepEqual(condition, [`${clause('write', 'Request')} AND ${clause('delete', 'Resource')}`])
  })

  it('may assign exactly the roles that infra/access.bicep gives to managed identities', async () => {
    const access = await readFile(new URL('../../../infra/access.bicep', import.meta.url), 'utf8')
    const own = await readFile(new URL('../../../infra/pipeline-access.bicep', import.meta.url), 'utf8')
    const roles = ['acrPull', 'monitoringMetricsPublisher', 'searchIndexDataReader']
    for (const role of roles) {
      const line = new RegExp(`^var ${role} = .*$`, 'm')
      assert.equal(line.exec(own)?.[0], line.exec(access)?.[0])
    }
    const assigned = access
      .split(/^resource /m)
      .filter((resource) => resource.includes("principalType: 'ServicePrincipal'"))
      .flatMap((resource) => /subscriptionResourceId\('[^']+', (\w+)\)/.exec(resource)?.[1] ?? [])
    assert.deepEqual(assigned, roles)
  })

  it('are not deleted by azd down', async () => {
    const { predictedResources } = await deploymentOf('pipeline')
    for (const { id = '', tags } of predictedResources.filter((resource) => resource.tags))
      assert.equal('azd-env-name' in (tags ?? {}), id.endsWith('/resourceGroups/rg-dev'), id)
  })

  it('are explained to the administrator right by right', () => {
    const text = approvals(true)
    for (const right of [...REVIEW_GRAPH, ...DEPLOY_GRAPH, ...ASSIGN_GRAPH])
      assert.ok(text.includes(right), right)
    assert.ok(!approvals(false).includes('AppRoleAssignment'))
  })
})

describe('infra/pipeline.bicep', { skip: withoutCompiler }, () => {
  const lint = async (file: string, env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await runBicep(['lint', file], { cwd: infra, env })
    return {
      code,
      findings: `${stdout}${stderr}`.split('\n').filter((line) => /: (Error|Warning|Info) /.test(line)),
    }
  }

  it('has no finding', async () => {
    assert.deepEqual(await lint('pipeline.bicep'), { code: 0, findings: [] })
    for (const set of Object.values(pipelineSets))
      assert.deepEqual(await lint('pipeline.bicepparam', set), { code: 0, findings: [] })
  })

  for (const set of Object.keys(pipelineSets))
    it(`predicts today what is committed as "${set}"`, async () => {
      assert.ok(
        asText(await deploymentOf(set)) === asText(await committed(set)),
        `tests/infra/${set}.snapshot.json is stale. Run: npm run snapshots, and read the diff.`,
      )
    })

  it('refuses one numeric id without the other, and a repository without a name', async () => {
    const fresh = (change: Record<string, string>) =>
      predict({ ...setOf('pipeline'), ...change }, target, 'pipeline')
    await assert.rejects(
      fresh({ GITHUB_REPOSITORY_ID: '456789' }),
      /GITHUB_REPOSITORY_OWNER_ID and GITHUB_REPOSITORY_ID/,
    )
    await assert.rejects(
      fresh({ GITHUB_REPOSITORY_NAME: '' }),
      /repositoryName|minimum allowable length is 1/,
    )
  })
})
