import { DIRECTORY_ROLES } from '../directory.ts'
import type { DirectoryRole, Group, User } from '../directory-objects.ts'

// Fixed ids, as those of the apps are.
export const ADMINS = '3fb16e95-a142-4d7c-98f3-5c9e20b417a0'
export const FINANCE = '40c27fa6-b253-4e8d-a904-6daf31c528b1'
export const USERS = '51d380b7-c364-4f9e-ba15-7eb042d639c2'
const INTERNS = '62e491c8-d475-40af-8b26-8fc153e74ad3'

const person = (id: string, givenName: string, surname: string): User => ({
  id,
  displayName: `${givenName} ${surname}`,
  givenName,
  surname,
  userPrincipalName: `${givenName.toLowerCase()}@contoso.example`,
  mail: `${givenName.toLowerCase()}@contoso.example`,
  accountEnabled: true,
})

export const alice = person('a11ce000-1c5f-4a0e-8d11-0f6b3c7a9e01', 'Alice', 'Adams')
export const bob = person('b0b00000-2d60-4b1f-9e22-107c4d8baf02', 'Bob', 'Brown')
export const carol = person('ca401000-3e71-4c20-af33-218d5e9cb003', 'Carol', 'Clark')
export const dave = person('da7e0000-4f82-4d31-b044-329e6fadc104', 'Dave', 'Davis')

const group = (id: string, displayName: string, members: string[]): Group => ({
  id,
  displayName,
  description: null,
  uniqueName: null,
  mailNickname: displayName.toLowerCase().replaceAll(' ', '-'),
  mailEnabled: false,
  securityEnabled: true,
  members,
  owners: [],
})

export const groups = (): Group[] => [
  group(ADMINS, 'Expenses admins', [FINANCE]),
  group(FINANCE, 'Finance', [alice.id]),
  // Dave is only in a nested group: good enough for membership, not for assignment to an app.
  group(USERS, 'Expenses users', [alice.id, bob.id, carol.id, INTERNS]),
  group(INTERNS, 'Interns', [dave.id]),
]

export const OLIVIA = 'a0111a00-5093-4e42-b155-43af70edc205'
export const PETER = 'be7e4000-61a4-4f53-8266-54b081fed306'
export const QUINN = '9a144000-72b5-4064-9377-65c1920fe407'

/** Those who deploy; they sign in with the Azure CLI's client id. */
export const operators = (): User[] => [
  person(OLIVIA, 'Olivia', 'Owens'),
  person(PETER, 'Peter', 'Price'),
  person(QUINN, 'Quinn', 'Quist'),
]

const role = (id: string, displayName: keyof typeof DIRECTORY_ROLES, members: string[]): DirectoryRole => ({
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

/** What everybody beside Alice and Bob is good for, in one line each, by object id. */
export const moreToTry: ReadonlyMap<string, string> = new Map([
  [carol.id, 'Conditional Access asks for a second factor before Microsoft Graph: a step-up'],
  [dave.id, 'is in a nested group only, which is no assignment: Entra gives no token'],
  [
    OLIVIA,
    'deploys, with every role that it takes, and may consent for every user; not assigned to the server',
  ],
  [PETER, 'may register apps but not grant consent; not assigned to the server'],
  [QUINN, 'has no role: what the checks before a deployment say to that'],
])
