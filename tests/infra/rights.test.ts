import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readable } from '../scripts/bicep/deployed-values.ts'
import { deploymentOf, environmentOf, sets } from './deployments.ts'
import type { Prediction } from './prediction.ts'

const acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
const metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
const cosmosDataContributor = '00000000-0000-0000-0000-000000000002'
const searchReader = '1407120a-92aa-4202-b7e9-c0e197c71c8f'
const searchDefiner = '7ca78c08-252a-4471-8644-bb5ff32d4ba0'
const searchWriter = '8ebe5a00-799e-43f5-93ac-243d3dce84a7'
const documents = 'searchServices/srch-*'
const withoutRole = '00000000-0000-0000-0000-000000000000'
const server = '{id.principalId}'
const expenses = 'databaseAccounts/cosmos-*/dbs/expenses/colls/expenses'

/** Who holds which right on what: everything that is not on this list is a finding. */
const allowed = (set: string): string[] => {
  const {
    AZURE_PRINCIPAL_ID: deployer,
    LOCAL_DEVELOPMENT,
    EXISTING_ADMIN_GROUP_ID,
    RESTRICT_TO_ASSIGNED_USERS,
    CI,
    TOOL_SETS,
  } = environmentOf(set)
  const admins = EXISTING_ADMIN_GROUP_ID ?? '{admins.id}'
  const local = LOCAL_DEVELOPMENT !== 'false'
  const hasDocuments = TOOL_SETS?.split(',').includes('documents')
  const restricted = RESTRICT_TO_ASSIGNED_USERS !== 'false'
  return [
    `${server} ${acrPull} registries/cr*`,
    `${server} ${metricsPublisher} components/appi-*`,
    `${server} ${cosmosDataContributor} ${expenses}`,
    ...(hasDocuments ? [`${server} ${searchReader} ${documents}`] : []),
    ...(hasDocuments && deployer && !CI
      ? [searchDefiner, searchWriter].map((role) => `${deployer} ${role} ${documents}`)
      : []),
    ...(local && deployer && !CI ? [`${deployer} ${cosmosDataContributor} ${expenses}`] : []),
    ...(restricted
      ? [`${admins} ${withoutRole} {apiPrincipal.id}`, `{users.id} ${withoutRole} {apiPrincipal.id}`]
      : []),
    ...(restricted && local
      ? [`${admins} ${withoutRole} {devPrincipal.id}`, `{users.id} ${withoutRole} {devPrincipal.id}`]
      : []),
  ]
}

const last = (value: unknown) => readable(value).split('/').at(-1)
const place = (id: unknown) =>
  readable(id)
    .replace(/^.*\/(registries|components|databaseAccounts|searchServices)\//, '$1/')
    .replace(/\/providers\/.*$/, '')
    .replace(/\b(cr|appi-|cosmos-|srch-)[a-z0-9]{13}/, '$1*')

/** Every resource whose type says that it gives a right. */
const given = ({ predictedResources }: Prediction): string[] =>
  predictedResources
    .filter(({ type }) =>
      /roleAssignments|sqlRoleAssignments|appRoleAssignedTo|oauth2PermissionGrants|roleEligibility|accessPolicies|federatedIdentityCredentials/i.test(
        type,
      ),
    )
    .map(({ type, id, properties = {} }) => {
      if (type.startsWith('Microsoft.Graph/appRoleAssignedTo')) {
        return `${readable(properties.principalId)} ${readable(properties.appRoleId)} ${readable(properties.resourceId)}`
      }
      return `${readable(properties.principalId)} ${last(properties.roleDefinitionId)} ${place(properties.scope ?? id)}`
    })

describe('The complete list of rights', () => {
  for (const set of sets) {
    it(`equals the allow-list with the parameters "${set}"`, async () => {
      assert.deepEqual(given(await deploymentOf(set)).toSorted(), allowed(set).toSorted())
    })
  }

  it('says of every Azure role assignment whom it is for, a service principal or the person who deploys', async () => {
    const kinds = async (set: string) => {
      const { predictedResources } = await deploymentOf(set)
      const assignments = predictedResources.filter(
        ({ type }) => type === 'Microsoft.Authorization/roleAssignments',
      )
      return assignments.map(({ properties }) => properties?.principalType).toSorted()
    }
    const both = ['ServicePrincipal', 'ServicePrincipal']
    assert.deepEqual(await kinds('defaults'), both)
    assert.deepEqual(await kinds('documents-pipeline'), [...both, 'ServicePrincipal'])
    assert.deepEqual(await kinds('documents'), [...both, 'ServicePrincipal', 'User', 'User'])
  })

  it('defines no role of its own', async () => {
    const { predictedResources } = await deploymentOf('defaults')
    assert.deepEqual(
      predictedResources.filter(({ type }) => /roleDefinitions/i.test(type)),
      [],
    )
  })
})
