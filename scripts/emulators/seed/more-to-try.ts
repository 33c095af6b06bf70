import * as people from './people.ts'

/** What everybody beside Alice and Bob is good for, in one line each, by object id. */
export const moreToTry: ReadonlyMap<string, string> = new Map([
  [people.carol.id, 'Conditional Access asks for a second factor before Microsoft Graph: a step-up'],
  [people.dave.id, 'is in a nested group only, which is no assignment: Entra gives no token'],
  [people.OLIVIA, 'deploys, with every role that it takes; not assigned to the server'],
  [people.PETER, 'may register apps but not grant consent; not assigned to the server'],
  [people.QUINN, 'has no role: what the checks before a deployment say to that'],
])
