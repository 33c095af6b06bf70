import { SEARCH_RESOURCE } from '../../../app/documents/search.ts'
import { fillDocuments } from '../../documents/fill.ts'
import { issuerV1 } from '../entra/entra.ts'
import type { Tenant } from '../tenant.ts'

type Emulators = Readonly<{
  tenant: Pick<Tenant, 'url' | 'tenantId' | 'searchUrl' | 'sign'>
  seed: Readonly<{
    adminGroupId: string
    usersGroupId: string
    operators: readonly Readonly<{ name: string; oid: string }>[]
  }>
  permissions: Readonly<{ toolSets: readonly string[] }>
}>

/** With the tool set documents: the samples, as `npm run documents` of Olivia, who deploys, would leave them. */
export async function fillEmulator({ tenant, seed, permissions }: Emulators): Promise<void> {
  if (!permissions.toolSets.includes('documents')) return
  const olivia = seed.operators.find(({ name }) => name === 'Olivia')
  if (!olivia) throw new Error('The seed has no Olivia.')
  const now = Math.floor(Date.now() / 1000)
  const token = await tenant.sign({
    ...{ iss: issuerV1(tenant), aud: SEARCH_RESOURCE, tid: tenant.tenantId, oid: olivia.oid },
    ...{ iat: now, nbf: now, exp: now + 3600 },
  })
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: (now + 3600) * 1000 }) }
  const { adminGroupId, usersGroupId } = seed
  await fillDocuments(tenant.searchUrl, credential, { adminGroupId, usersGroupId, deployerId: olivia.oid })
}
