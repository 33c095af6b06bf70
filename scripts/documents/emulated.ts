import { SEARCH_RESOURCE } from '../../app/documents/search.ts'
import { fillDocuments } from './fill.ts'

/** The Azure CLI, with whose client id people get tokens for Azure AI Search. */
const AZURE_CLI = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'

type Emulators = Readonly<{
  tenant: Readonly<{
    searchUrl: string
    tokenFor: (request: { user: string; clientId: string; scope: string }) => Promise<string>
  }>
  seed: Readonly<{
    adminGroupId: string
    usersGroupId: string
    operators: readonly Readonly<{ name: string; upn: string; oid: string }>[]
  }>
  permissions: Readonly<{ toolSets: readonly string[] }>
}>

/** With the tool set documents: the samples, as `npm run documents` of Olivia, who deploys, would leave them. */
export async function fillEmulator({ tenant, seed, permissions }: Emulators): Promise<void> {
  if (!permissions.toolSets.includes('documents')) return
  const olivia = seed.operators.find(({ name }) => name === 'Olivia')
  if (!olivia) throw new Error('The seed has no Olivia.')
  const token = await tenant.tokenFor({
    user: olivia.upn,
    clientId: AZURE_CLI,
    scope: `${SEARCH_RESOURCE}/.default`,
  })
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }
  const { adminGroupId, usersGroupId } = seed
  await fillDocuments(tenant.searchUrl, credential, { adminGroupId, usersGroupId, deployerId: olivia.oid })
}
