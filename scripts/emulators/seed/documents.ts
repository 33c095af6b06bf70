import { SEARCH_RESOURCE } from '../../../app/documents/search.ts'
import type { Permissions } from '../../../app/permissions.ts'
import { fillDocuments } from '../../documents/fill.ts'
import { AZURE_CLI_APP_ID } from '../microsoft-apps.ts'
import type { seedDirectory } from '../seed.ts'
import type { Tenant } from '../tenant.ts'

type Emulators = Readonly<{
  tenant: Tenant
  seed: ReturnType<typeof seedDirectory>
  permissions: Permissions
}>

/** With the tool set documents: the samples, as `npm run documents` of Olivia, who deploys, would leave them. */
export async function fillEmulator({ tenant, seed, permissions }: Emulators): Promise<void> {
  if (!permissions.toolSets.includes('documents')) return
  const olivia = seed.operators.find(({ name }) => name === 'Olivia')
  if (!olivia) throw new Error('The seed has no Olivia.')
  const token = await tenant.tokenOf(olivia.oid, AZURE_CLI_APP_ID, `${SEARCH_RESOURCE}/.default`)
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }
  const { adminGroupId, usersGroupId } = seed
  await fillDocuments(tenant.searchUrl, credential, { adminGroupId, usersGroupId, deployerId: olivia.oid })
}
