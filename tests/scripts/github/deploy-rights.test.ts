import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipelineSets } from '../../infra/snapshots.ts'
import { committed, customRoles, deploymentOf, rightsIn } from './predicted-rights.ts'

const ASSIGNMENT = 'Microsoft.Authorization/roleAssignments'

describe('The deploy identity', () => {
  it('may write to the resource group of its environment and to no other', async () => {
    for (const set of Object.keys(pipelineSets)) {
      const azure = rightsIn(await deploymentOf(set)).filter((right) =>
        /^deploy: .* on (?!Microsoft)/.test(right),
      )
      const elsewhere = azure.filter((right) => !right.endsWith(' on rg-dev'))
      assert.deepEqual(elsewhere, ['deploy: Subscription deployment (dev) on subscription'])
    }
  })

  it('starts deployments at the subscription and makes nothing by that: no group, no right, no resource', async () => {
    const roles = customRoles(await deploymentOf('pipeline'))
    const own = roles.find(({ roleName }) => roleName.startsWith('Subscription deployment'))
    const actions = own?.permissions[0].actions ?? []
    assert.deepEqual(
      actions.filter((action) => !/\/read$/.test(action)),
      [
        '*/register/action',
        'Microsoft.Resources/deployments/validate/action',
        'Microsoft.Resources/deployments/write',
      ],
    )
    for (const action of actions.filter((name) => name.endsWith('/read')))
      assert.match(action, /^Microsoft\.Resources\/(deployments|subscriptions)\/[\w/]*read$/)
  })
})

describe('An identity of the pipeline that was deleted and made anew', () => {
  it('gets its rights under new names: each name changes with the principal that it is for', async () => {
    for (const set of Object.keys(pipelineSets))
      for (const prediction of [await deploymentOf(set), await committed(set)]) {
        const found = prediction.predictedResources.filter(({ type }) => type === ASSIGNMENT)
        assert.equal(found.length, 5)
        for (const { name = '', properties } of found) {
          const principal = String(properties?.principalId).slice(1, -1)
          assert.match(
            principal,
            /^reference\('[^']*userAssignedIdentities\/id-(review|deploy)-\w+', .*principalId$/,
          )
          assert.ok(name.startsWith('[guid(') && name.includes(principal), name)
        }
      }
  })

  it('gets each right once: no two names are the same', async () => {
    const { predictedResources } = await deploymentOf('pipeline')
    const names = predictedResources.filter(({ type }) => type === ASSIGNMENT).map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
  })
})
