import type { Group, User } from '../directory-objects.ts'
import { ADMINS, FINANCE, INTERNS, USERS } from './ids.ts'

export const person = (id: string, givenName: string, surname: string): User => ({
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
