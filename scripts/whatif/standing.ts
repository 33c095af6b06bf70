/** Dangers that are there already, and that no deployment takes away because nothing of them is declared. */
import { z } from 'zod'
import { SECRET_PREFIX } from '../dev-credential.ts'
import { type LiveProperties, lookupOf } from './keys.ts'
import type { Knowledge } from './knowledge.ts'
import type { Reader } from './live.ts'
import type { Naming } from './naming.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

export interface Standing {
  key: string
  title: string
  rule: 'password-credential' | 'assignment-stays'
  reason: string
}

const Credential = z.object({ displayName: z.string().nullish(), endDateTime: z.string().nullish() })
const Credentials = z.array(Credential).catch([])

/** Those that our own hook writes for developers are meant to be there. */
const names = (live: LiveProperties): string[] =>
  Credentials.parse(live.passwordCredentials)
    .filter(({ displayName }) => !displayName?.startsWith(SECRET_PREFIX))
    .map(
      ({ displayName, endDateTime }) =>
        `"${displayName ?? 'without a name'}" until ${endDateTime ?? 'nobody knows'}`,
    )

export const standingOf = (
  objects: readonly WantedObject[],
  knowledge: Knowledge,
  naming: Naming,
): Standing[] =>
  objects.flatMap((one): Standing[] => {
    const live = knowledge.live(one.key)
    const wanted = propertiesOf(one, knowledge)
    // Where the list is declared, what is in it is a change.
    if (one.type !== 'applications' || !live || 'passwordCredentials' in wanted) return []
    return names(live).map((name) => ({
      key: one.key,
      title: naming.titleOf(one.type, wanted),
      rule: 'password-credential',
      reason: `A secret is present: ${name}. The template does not declare secrets of this app, so it stays.`,
    }))
  })

const Assigned = z.object({
  id: z.string(),
  principalId: z.string(),
  principalType: z.string(),
  principalDisplayName: z.string().nullish(),
})

/** Groups that keep what they have: one that was swapped for another, for example. */
export async function assignmentsThatStay(
  objects: readonly WantedObject[],
  knowledge: Knowledge,
  naming: Naming,
  reader: Reader,
): Promise<Standing[]> {
  const declared = objects.filter(({ type }) => type === 'appRoleAssignedTo')
  const ids = new Set(declared.map(({ key }) => knowledge.live(key)?.id))
  const seen = new Map<string, WantedObject>()
  for (const one of declared) {
    const path = lookupOf(one, propertiesOf(one, knowledge))?.path
    if (path !== undefined && !seen.has(path)) seen.set(path, one)
  }
  const found = await Promise.all(
    [...seen].map(async ([path, one]): Promise<Standing[]> => {
      const title = naming.of(propertiesOf(one, knowledge).resourceId)
      const strangers = z
        .array(Assigned)
        .parse(await reader.list(path))
        .filter(({ id, principalType }) => principalType === 'Group' && !ids.has(id))
      return strangers.map(({ principalDisplayName, principalId }) => ({
        key: one.key,
        title,
        rule: 'assignment-stays',
        reason: `The group ${principalDisplayName ?? principalId} is assigned, which is not declared; a deployment never takes it away.`,
      }))
    }),
  )
  return found.flat()
}
