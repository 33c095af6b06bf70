/** Who may look into the recycle bin and empty it: owning what lies there is not enough. */

import { Problem } from '../cli/problem.ts'
import { type Belonging, type Kind, listed } from './belongings.ts'

const APPLICATION_ROLES =
  'Application Administrator, Cloud Application Administrator or Hybrid Identity Administrator'
const GROUP_ROLES = 'Groups Administrator or User Administrator'
const isGroup = (kind: Kind) => kind === 'group'

/** The roles that open these parts of the bin; a pipeline has application permissions instead. */
export function binRoles(kinds: readonly Kind[]): string {
  const apps = kinds.some((kind) => !isGroup(kind)) && `apps: ${APPLICATION_ROLES}`
  const groups = kinds.some(isGroup) && `groups: ${GROUP_ROLES}`
  return [apps, groups].filter(Boolean).join('; ')
}

/** Why it cannot be told what lies in the bin, and who could tell. */
export const binClosed = (unseen: readonly Kind[]): string =>
  `cannot be told, because deleted objects are shown to some roles only (${binRoles(unseen)})`

/** For who has asked for the recycle bin and may not see it. */
export const mayNotLook = (unseen: readonly Kind[], name: string) =>
  new Problem({
    what: `You may not look into the recycle bin: ${unseen.some(isGroup) ? (unseen.length > 1 ? 'apps and groups' : 'groups') : 'apps'}.`,
    why: `Microsoft Graph shows deleted objects to these roles only (${binRoles(unseen)}); owning them does not count.`,
    fix: `npm run recycle-bin -- list --environment ${name}    (after azd auth login as somebody with these roles)`,
  })

/** What lies in the bin and could not be purged; each with a command that needs neither azd nor this repository. */
const leftInBin = (left: readonly Belonging[], name: string): string =>
  [
    `! Left in the recycle bin, which you may not empty:\n${listed(left)}`,
    'Its unique names stay taken for 30 days, then it goes by itself; until then this environment cannot be deployed again.',
    `Who can purge it (${binRoles(left.map(({ kind }) => kind))}):`,
    `    npm run recycle-bin -- purge --environment ${name}`,
    'or, without this azd environment:',
    ...left.map(
      ({ id }) =>
        `    az rest --method delete --url https://graph.microsoft.com/v1.0/directory/deletedItems/${id}`,
    ),
  ].join('\n')

/** How a down has ended. What stays in the bin goes by itself one day: it is said, and no failure. */
export function endOf(left: readonly Belonging[], unseen: readonly Kind[], name: string): string[] {
  if (left.length > 0) return [leftInBin(left, name)]
  if (unseen.length === 0) return ['✓ Microsoft Entra ID holds nothing of this environment any more']
  return [
    '✓ Nothing of this environment is alive in Microsoft Entra ID',
    `! Whether something of it lies in the recycle bin ${binClosed(unseen)}`,
  ]
}
