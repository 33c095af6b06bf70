/**
 * Whose an object is, before it goes for good: azd down asks nobody where nothing is left in Azure, so that only what is
 * proven to be this environment's may go.
 */

import type { Environment } from '../cli/environment.ts'
import { type Belonging, listed } from './belongings.ts'
import type { Names } from './names.ts'

/** The first of two with the same id counts. */
export const merged = (...lists: (readonly Belonging[])[]): Belonging[] => [
  ...new Map(
    lists
      .toReversed()
      .flat()
      .map((object) => [object.id, object]),
  ).values(),
]

/** By its marks, by what azd says of the deployment, or because it was proven before. */
export function isProven(
  object: Belonging,
  environment: Environment,
  remembered: readonly Belonging[] = [],
): boolean {
  const deployed = [
    environment.ENTRA_CLIENT_ID,
    environment.ENTRA_DEV_CLIENT_ID,
    environment.ENTRA_PUBLIC_CLIENT_ID,
    environment.ENTRA_USERS_GROUP_ID,
    environment.ENTRA_ADMIN_GROUP_ID,
  ]
  return (
    object.isMarked ||
    deployed.includes(object.appId ?? object.id) ||
    remembered.some(({ id }) => id === object.id)
  )
}

/** What has our unique name and nothing else of us. */
export const doubt = (objects: readonly Belonging[], names: Names): string[] =>
  objects.length === 0
    ? []
    : [
        `! Left, because only a unique name says that it is this environment's:\n${listed(objects)}\nIf it is, add ${names.tags.join(' and ')} to its tags (groups: ${names.token} to the description), then: azd hooks run postdown`,
      ]
