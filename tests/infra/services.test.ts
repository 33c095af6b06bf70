import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { compileChanged } from './changed-files.ts'
import { appOf, environmentOf, resourcesOf, withoutCompiler } from './deployments.ts'
import { target } from './snapshots.ts'

const INFRA = fileURLToPath(new URL('../../infra/', import.meta.url))
const REPORT = '7f2c5b0e-64d1-4c8a-9e37-b1a05d68f3c2'
const service = {
  name: 'Nightly report',
  principalId: '5c6d7e8f-9012-4a3b-8c4d-5e6f70819205',
  roles: ['Expenses.Report'],
}
const Claims = z.object({ accessToken: z.array(z.object({ name: z.string() })) })

/** Assignments of an app role that is none of "assigned without a role". */
async function rolesAssigned(services: unknown, TOOL_SETS: string) {
  const declaration = z.looseObject({}).parse(JSON.parse(await readFile(`${INFRA}permissions.json`, 'utf8')))
  const files = { 'permissions.json': JSON.stringify({ ...declaration, services }) }
  const environment = { ...environmentOf('defaults'), TOOL_SETS }
  const { declared } = await compileChanged({ infra: INFRA, environment, files, ...target })
  return declared
    .filter(({ type }) => type.includes('appRoleAssignedTo'))
    .map(({ properties }) => [properties.principalId, properties.appRoleId])
    .filter(([, role]) => role !== '00000000-0000-0000-0000-000000000000')
}

describe('Services', () => {
  it('are told from people by a claim that both API apps ask Entra for', async () => {
    for (const kind of ['api', 'dev'] as const) {
      const { optionalClaims } = z
        .looseObject({ optionalClaims: Claims })
        .parse(await appOf('defaults', kind))
      assert.deepEqual(
        optionalClaims.accessToken.map(({ name }) => name),
        ['idtyp', 'xms_cc'],
      )
    }
  })

  it('are given nothing until permissions.json names one', async () => {
    const roles = (await resourcesOf('defaults', 'Microsoft.Graph/appRoleAssignedTo')).map(
      ({ properties }) => properties?.appRoleId,
    )
    assert.ok(roles.length > 0)
    assert.ok(!roles.includes(REPORT))
  })

  it('hold exactly the roles that permissions.json names', { skip: withoutCompiler }, async () => {
    const other = { ...service, name: 'Another', principalId: '5c6d7e8f-9012-4a3b-8c4d-5e6f70819206' }
    assert.deepEqual(await rolesAssigned([service, other], 'expenses'), [
      [service.principalId, REPORT],
      [other.principalId, REPORT],
    ])
  })

  it('hold no role of a tool set that is off', { skip: withoutCompiler }, async () => {
    assert.deepEqual(await rolesAssigned([service], 'profile'), [])
  })
})
