/** Whether whoever deploys may do what the template declares. */

import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import type { Rights, Verdict } from './operator-rights.ts'

const SAID: Record<Verdict, string> = {
  yes: 'yes',
  no: 'no',
  unknown: 'the tenant does not show it; the deployment will',
}

export function checkCreation(rights: Rights): string {
  const { createApps, createGroups } = rights
  if (createApps !== 'no' && createGroups !== 'no')
    return createApps === createGroups
      ? SAID[createApps]
      : `apps: ${SAID[createApps]}; groups: ${SAID[createGroups]}`
  const missing = [createApps === 'no' && 'app registrations', createGroups === 'no' && 'groups'].filter(
    Boolean,
  )
  throw new Problem({
    what: `You may not create ${missing.join(' and ')} in this tenant.`,
    why: 'The template declares app registrations and groups; the deployment would fail half-way with a 403.',
    fix: 'azd auth login    (as an Application Developer and Groups Administrator; a pipeline needs the application permissions Application.ReadWrite.All and Group.ReadWrite.All)',
  })
}

export const sayConsent = ({ consent }: Rights): string =>
  consent === 'yes'
    ? 'yes'
    : `${consent === 'no' ? 'no' : 'unknown'}: if it is refused, the deployment succeeds and saves a consent pack for an administrator`

/** Without assignment everybody in the tenant gets a token, and nothing is assigned. */
export function checkAssignment({ environment }: Context, { assign }: Rights): string {
  if (!environment.RESTRICT_TO_ASSIGNED_USERS) return 'not needed: RESTRICT_TO_ASSIGNED_USERS is false'
  if (assign !== 'no') return SAID[assign]
  throw new Problem({
    what: 'You may not assign groups to the apps.',
    why: 'The template assigns the admin group and the users group; the deployment would fail half-way with a 403.',
    fix: 'Give a pipeline the application permission AppRoleAssignment.ReadWrite.All, or: azd env set RESTRICT_TO_ASSIGNED_USERS false    (then everybody in the tenant gets a token)',
  })
}
