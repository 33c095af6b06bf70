import type { DirectoryRole, User } from '../directory-objects.ts'
import { DIRECTORY_ROLES, type RoleName } from '../graph-permissions.ts'
import { person } from './people.ts'

export const OLIVIA = 'a0111a00-5093-4e42-b155-43af70edc205'
export const PETER = 'be7e4000-61a4-4f53-8266-54b081fed306'
export const QUINN = '9a144000-72b5-4064-9377-65c1920fe407'

/** Those who deploy; they sign in with the Azure CLI's client id. */
export const operators = (): User[] => [
  person(OLIVIA, 'Olivia', 'Owens'),
  person(PETER, 'Peter', 'Price'),
  person(QUINN, 'Quinn', 'Quist'),
]

export type OperatorRight = 'createApps' | 'grantConsent'

/** What each may do; the roles below make it so. */
export const rightsOf = (oid: string): OperatorRight[] => {
  if (oid === OLIVIA) return ['createApps', 'grantConsent']
  return oid === PETER ? ['createApps'] : []
}

const role = (id: string, displayName: RoleName, members: string[]): DirectoryRole => ({
  id,
  displayName,
  roleTemplateId: DIRECTORY_ROLES[displayName],
  members,
})

export const directoryRoles = (): DirectoryRole[] => [
  role('83c6175a-3e1f-4d6b-9c0e-5a2f7b8d9e08', 'Cloud Application Administrator', [OLIVIA]),
  role('94d7286b-4f20-4e7c-8d1f-6b308c9eaf09', 'Groups Administrator', [OLIVIA]),
  role('a5e8397c-5031-4f8d-9e20-7c419daf0b0a', 'Application Developer', [PETER]),
]

/** Apps need a role here, as in most companies; security groups do not. */
export const authorizationPolicy = () => ({ allowedToCreateApps: false, allowedToCreateSecurityGroups: true })
