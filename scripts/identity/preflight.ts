/** What must be true before `azd provision`, each as a check that changes nothing. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { coerce, minVersion, satisfies } from 'semver'
import { parse } from 'yaml'
import { z } from 'zod'
import { loadDeclaration } from '../../app/declaration.ts'
import { loadPermissions, type Permissions } from '../../app/permissions.ts'
import type { Check } from '../cli/checklist.ts'
import { NOT_ASKED_YET } from '../cli/environment.ts'
import { checkParameters } from '../cli/parameters.ts'
import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import { unknownApis } from './consent.ts'
import { checkToolSets } from './live-tool-sets.ts'
import { type Names, namesOf } from './names.ts'
import { type Rights, rightsOf, type Verdict } from './operator-rights.ts'
import { checkGroup, checkMembers } from './preflight-members.ts'
import {
  checkDeployed,
  checkNames,
  checkRemovals,
  checkTwins,
  checkUrls,
  type ObjectCheck,
} from './preflight-objects.ts'

const SAID: Record<Verdict, string> = {
  yes: 'yes',
  no: 'no',
  unknown: 'the tenant does not show it; the deployment will',
}

function checkCreation(rights: Rights): string {
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

const sayConsent = ({ consent }: Rights): string =>
  consent === 'yes'
    ? 'yes'
    : `${consent === 'no' ? 'no' : 'unknown'}: if it is refused, the deployment succeeds and saves a consent pack for an administrator`

/** Not every tenant has met every API; without its service principal nobody can consent to its permissions. */
async function checkApis({ directory, environment }: Context, { consent }: Rights) {
  const missing = await unknownApis(directory, loadPermissions(environment.TOOL_SETS).downstreamApis)
  if (missing.length === 0) return undefined
  const next =
    consent === 'yes' ? 'postprovision makes it known' : 'it goes on the consent pack for an administrator'
  const names = missing.map(({ displayName }) => displayName).join(', ')
  return `${names} has no service principal in this tenant yet: ${next}`
}

/**
 * Without RESTRICT_TO_ASSIGNED_USERS everybody in the tenant gets a token and no group is assigned; the services of
 * infra/permissions.json are in any case.
 */
export function checkAssignment(
  { environment }: Pick<Context, 'environment'>,
  { assign }: Pick<Rights, 'assign'>,
  { services }: Pick<Permissions, 'services'>,
): string {
  const restricted = environment.RESTRICT_TO_ASSIGNED_USERS
  if (!restricted && services.length === 0) return 'not needed: RESTRICT_TO_ASSIGNED_USERS is false'
  if (assign !== 'no') return SAID[assign]
  throw new Problem({
    what: restricted ? 'You may not assign groups to the apps.' : 'You may not assign app roles to services.',
    why: restricted
      ? 'The template assigns the admin group and the users group; the deployment would fail half-way with a 403.'
      : 'infra/permissions.json names services; the deployment would fail half-way with a 403.',
    fix: !restricted
      ? 'Give a pipeline the application permission AppRoleAssignment.ReadWrite.All, or take the services out.'
      : 'Give a pipeline the application permission AppRoleAssignment.ReadWrite.All, or: azd env set RESTRICT_TO_ASSIGNED_USERS false    (then everybody in the tenant gets a token)',
  })
}

const Requirements = z.object({ requiredVersions: z.object({ azd: z.string() }) })

async function checkAzd({ root, azdVersion }: Context): Promise<string> {
  const file = Requirements.parse(parse(await readFile(join(root, 'azure.yaml'), 'utf8')))
  const { azd: range } = file.requiredVersions
  const version = await azdVersion()
  // A pre-release or daily build (1.24.0-beta.1) has what its release has.
  if (satisfies(coerce(version) ?? '0.0.0', range)) return version
  throw new Problem({
    what: `azd is ${version}; this template needs ${minVersion(range)} or later.`,
    why: 'Older versions do not run hooks that are written in TypeScript.',
    fix: 'winget upgrade Microsoft.Azd   |   brew upgrade azd   |   curl -fsSL https://aka.ms/install-azd.sh | bash',
  })
}

async function checkTenant({ operator, environment }: Context): Promise<string | undefined> {
  const { AZURE_TENANT_ID } = environment
  const { tid, oid } = await operator.claims()
  if (!tid || !AZURE_TENANT_ID || tid === AZURE_TENANT_ID)
    return tid && `tenant ${tid}${oid ? `, as ${oid}` : ''}`
  throw new Problem({
    what: `azd is signed in to tenant ${tid}; this environment is deployed to tenant ${AZURE_TENANT_ID}.`,
    why: 'The identity objects would be made in another tenant than the subscription is in.',
    fix: `azd auth login --tenant-id ${AZURE_TENANT_ID}`,
  })
}

/** Whether what goes is meant to go comes before whether it can. */
async function checkGoing(context: Context, names?: Names): Promise<string | undefined> {
  await checkToolSets(context, names)
  return names ? checkRemovals(context, names) : NOT_CHECKED
}

const NOT_CHECKED =
  'not checked, because azd asks for the subscription later (azd up asks first); then: azd hooks run preprovision'

/** In the order in which they are shown; they run at the same time and share their requests. */
export function preflight(context: Context): Check[] {
  const isAsked = context.environment.AZURE_SUBSCRIPTION_ID !== NOT_ASKED_YET
  const names = isAsked ? namesOf(context.environment) : undefined
  /** Unique names hold the subscription. */
  const named = (check: ObjectCheck) => async () => (names ? check(context, names) : NOT_CHECKED)
  let known: Promise<Rights> | undefined
  const shared = () =>
    (known ??= context.operator.claims().then((claims) => rightsOf(context.directory, claims)))
  const toolSets = () => loadDeclaration().toolSets.map(({ name }) => name)
  return [
    { title: 'azd is recent enough', run: () => checkAzd(context) },
    { title: 'Values can be deployed', run: async () => checkParameters(context.variables, toolSets()) },
    { title: 'Signed in to the right tenant', run: () => checkTenant(context) },
    { title: 'May create app registrations and groups', run: async () => checkCreation(await shared()) },
    {
      title: 'May assign groups',
      run: async () => checkAssignment(context, await shared(), loadPermissions(context.variables.TOOL_SETS)),
    },
    { title: 'May grant admin consent', run: async () => sayConsent(await shared()) },
    { title: 'Downstream APIs are known to the tenant', run: async () => checkApis(context, await shared()) },
    { title: 'The admin group is one', run: () => checkGroup(context) },
    { title: 'Members of the admin group exist', run: () => checkMembers(context) },
    { title: 'Unique names are free or ours', run: named(checkNames) },
    { title: 'No twin in the recycle bin', run: named(checkTwins) },
    { title: 'No other app has our URLs', run: named(checkUrls) },
    { title: 'Removed scopes and roles were disabled first', run: () => checkGoing(context, names) },
    { title: 'What was deployed is still there', run: named(checkDeployed) },
  ]
}
