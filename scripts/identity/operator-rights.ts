/** What whoever is signed in may do in the directory, as far as it can be known before trying. */
import { z } from 'zod'
import type { Claims } from '../cli/token.ts'
import type { Directory } from '../graph/directory.ts'
import { DirectoryError } from '../graph/directory-error.ts'

/** unknown: the tenant's policy decides, and Graph does not show it to this caller. */
export type Verdict = 'yes' | 'no' | 'unknown'
export interface Rights {
  createApps: Verdict
  createGroups: Verdict
  /** Assigning groups to the apps. */
  assign: Verdict
  consent: Verdict
}

// Template ids of built-in roles, the same in every tenant.
const GLOBAL = '62e90394-69f5-4237-9190-012177145e10'
const APPLICATIONS = ['9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3', '158c047a-c907-4556-b7ef-446551a6b5f7']
const APPLICATION_DEVELOPER = 'cf1c38e5-3621-4004-a7cb-879624dced7c'
const PRIVILEGED_ROLES = 'e8611ab8-c189-46e8-94e1-60213ab1f814'
const GROUPS = ['fdd7a751-b60b-444a-984c-02652fe8fa1c', 'fe930be7-5e62-47db-91af-98c3a49a38b1']

const Role = z.object({ roleTemplateId: z.string() })
const Policy = z.object({
  defaultUserRolePermissions: z.object({
    allowedToCreateApps: z.boolean(),
    allowedToCreateSecurityGroups: z.boolean(),
  }),
})

/** A pipeline: what it may do stands in its token. */
function appRights(roles: readonly string[]): Rights {
  const verdict = (...anyOf: string[]): Verdict => (anyOf.some((role) => roles.includes(role)) ? 'yes' : 'no')
  return {
    createApps: verdict('Application.ReadWrite.All', 'Directory.ReadWrite.All'),
    createGroups: verdict('Group.ReadWrite.All', 'Directory.ReadWrite.All'),
    // Owning the service principal is enough for a person, not for an app.
    assign: verdict('AppRoleAssignment.ReadWrite.All'),
    consent: verdict('DelegatedPermissionGrant.ReadWrite.All'),
  }
}

/** What is refused or not there is not known; any other failure is one. */
const orUnknown = (error: unknown): undefined => {
  if (error instanceof DirectoryError && error.status < 500 && error.status !== 429) return undefined
  throw error
}

export async function rightsOf(directory: Directory, claims: Claims): Promise<Rights> {
  if (claims.idtyp === 'app') return appRights(claims.roles)
  const rolesPath = '/me/transitiveMemberOf/microsoft.graph.directoryRole?$count=true&$select=roleTemplateId'
  const policyPath = '/policies/authorizationPolicy?$select=defaultUserRolePermissions'
  const [roles, policy] = await Promise.all([
    directory.listAdvanced(rolesPath, Role).catch(orUnknown),
    directory.get(policyPath, Policy).catch(orUnknown),
  ])
  const held = roles?.map(({ roleTemplateId }) => roleTemplateId) ?? []
  const verdict = (anyOf: string[], everybody: boolean | undefined): Verdict => {
    if (anyOf.some((role) => held.includes(role)) || everybody) return 'yes'
    return roles === undefined || everybody === undefined ? 'unknown' : 'no'
  }
  const usual = policy?.defaultUserRolePermissions
  const createApps = verdict([GLOBAL, ...APPLICATIONS, APPLICATION_DEVELOPER], usual?.allowedToCreateApps)
  return {
    createApps,
    createGroups: verdict([GLOBAL, ...GROUPS], usual?.allowedToCreateSecurityGroups),
    // Whoever creates a service principal owns it, and its owner may assign.
    assign: createApps,
    // Consent for everybody is a matter of roles alone.
    consent: verdict([GLOBAL, ...APPLICATIONS, PRIVILEGED_ROLES], false),
  }
}
