import { DIRECTORY_ROLES } from '../../../../scripts/emulators/directory.ts'
import type { Application, AppRole } from '../../../../scripts/emulators/directory-objects.ts'
import { AZURE_CLI_APP_ID, permissionScope } from '../../../../scripts/emulators/microsoft-apps.ts'

/** Delegated permissions of Microsoft Graph, with their ids, which are the same in every tenant. */
const DELEGATED = {
  'Application.Read.All': 'c79f8feb-a9db-4090-85f9-90d820caa0eb',
  'Application.ReadWrite.All': 'bdfbf15f-ee85-4955-8675-146e8e5296b5',
  'AppRoleAssignment.ReadWrite.All': '84bccea3-f856-4a8a-967b-dbe0a3d53a64',
  'DelegatedPermissionGrant.ReadWrite.All': '41ce6ca6-6826-4807-84f1-1c82854f7ee5',
  'Directory.AccessAsUser.All': '0e263e50-5827-48a4-b97c-d940288653c7',
  'Directory.Read.All': '06da0dbc-49e2-44d2-8312-53f166ab848a',
  'Group.Read.All': '5f8c59db-677d-491f-a6b8-5f174b11ec1d',
  'Group.ReadWrite.All': '4e46008b-f24c-477d-8fff-7bb4ec7aafe0',
  'GroupMember.Read.All': 'bc024368-1153-4739-b217-4326f2e966d0',
  'Policy.Read.All': '572fea84-0151-49b2-9301-11cb16974376',
  'User.Read': 'e1fe6dd8-ba31-4d61-89e7-88639da4683d',
  'User.Read.All': 'a154be20-db9c-4678-8ab7-66f6cc099a59',
  'User.ReadWrite.All': '204e0828-b5ca-4ad8-b9f3-f32a958e7cc4',
} as const

/** Application permissions: what a pipeline's own identity is given. */
const APPLICATION = {
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
  'Application.ReadWrite.All': '1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9',
  'Application.ReadWrite.OwnedBy': '18a4783c-866b-4cc7-a460-3d5e5662c884',
  'AppRoleAssignment.ReadWrite.All': '06b708a9-e830-4db3-a914-8e69da51d44f',
  'DelegatedPermissionGrant.Read.All': '81b4724a-58aa-41c1-8a55-84ef97466587',
  'DelegatedPermissionGrant.ReadWrite.All': '8e8e4742-1d95-4f68-9d56-6ee75648c72a',
  'Directory.Read.All': '7ab1d382-f21e-4acd-a863-ba3e13f7da61',
  'Group.Read.All': '5b567255-7703-4780-807c-7be8301ae99b',
  'Group.ReadWrite.All': '62a82d76-70ea-41e2-9197-370581804d09',
  'GroupMember.Read.All': '98830695-27a2-44f7-8c18-0c3ebc9698f6',
  'User.Read.All': 'df021288-bdef-4463-88db-98f22de89214',
} as const

/** Template ids of every built-in role that has a right here. */
export const ROLE_TEMPLATES = {
  ...DIRECTORY_ROLES,
  'Hybrid Identity Administrator': '8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2',
  'User Administrator': 'fe930be7-5e62-47db-91af-98c3a49a38b1',
} as const

export type RoleName = keyof typeof ROLE_TEMPLATES

type GraphScope = keyof typeof DELEGATED
export type GraphRole = keyof typeof APPLICATION

/** What a token of the Azure CLI for Graph holds for everybody; the directory role decides what comes of it. */
const AZURE_CLI_SCOPES: readonly GraphScope[] = [
  'Application.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Directory.AccessAsUser.All',
  'Group.ReadWrite.All',
  'User.Read.All',
  'User.ReadWrite.All',
]

const graphRoles = (): AppRole[] =>
  Object.entries(APPLICATION).map(([value, id]) => ({
    id,
    value,
    displayName: value,
    description: value,
    isEnabled: true,
    allowedMemberTypes: ['Application'],
  }))

export const roleId = (name: GraphRole): string => APPLICATION[name]

/** All of them; the tenant of `npm start` knows only what the server asks for. */
export function addPermissions(graph: Application): void {
  const { oauth2PermissionScopes: scopes, preAuthorizedApplications } = graph.api
  const more = Object.entries(DELEGATED).filter(([, id]) => !scopes.some((known) => known.id === id))
  scopes.push(...more.map(([value, id]) => permissionScope(id, value)))
  graph.appRoles = graphRoles()
  const cli = preAuthorizedApplications.find(({ appId }) => appId === AZURE_CLI_APP_ID)
  cli?.delegatedPermissionIds.push(...AZURE_CLI_SCOPES.map((name) => DELEGATED[name]))
}
