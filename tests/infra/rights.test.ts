import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readable } from '../../scripts/bicep/value.ts'
import { deploymentOf, environmentOf, sets } from './deployments.ts'
import type { Prediction } from './prediction.ts'

const acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
const metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
const cosmosDataContributor = '00000000-0000-0000-0000-000000000002'
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
  } = environmentOf(set)
  const admins = EXISTING_ADMIN_GROUP_ID ?? '{admins.id}'
  const local = LOCAL_DEVELOPMENT !== 'false'
  const restricted = RESTRICT_TO_ASSIGNED_USERS !== 'false'
  return [
    `${server} ${acrPull} registries/cr*`,
    `${server} ${metricsPublisher} components/appi-*`,
    `${server} ${cosmosDataContributor} ${expenses}`,
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
    .replace(/^.*\/(registries|components|databaseAccounts)\//, '$1/')
    .replace(/\/providers\/.*$/, '')
    .replace(/\b(cr|appi-|cosmos-)[a-z0-9]{13}/, '$1*')

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

  it('says of every Azure role assignment that it is for a service principal', async () => {
    const { predictedResources } = await deploymentOf('defaults')
    const assignments = predictedResources.filter(
      ({ type }) => type === 'Microsoft.Authorization/roleAssignments',
    )
    assert.equal(assignments.length, 2)
    for (const { properties } of assignments) assert.equal(properties?.principalType, 'ServicePrincipal')
  })

  it('defines no role of its own', async () => {
    const { predictedResources } = await deploymentOf('defaults')
    assert.deepEqual(
      predictedResources.filter(({ type }) => /roleDefinitions/i.test(type)),
      [],
    )
  })
})
