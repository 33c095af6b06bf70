import { Directory } from '../../../../scripts/emulators/directory.ts'
import type {
  Application,
  AppRoleAssignment,
  Group,
  OAuth2PermissionGrant,
  ServicePrincipal,
} from '../../../../scripts/emulators/directory-objects.ts'
import { GRAPH_APP_ID } from '../../../../scripts/emulators/microsoft-apps.ts'
import { addPermissions } from './permissions.ts'

/** What hung on an object hangs on it still, and comes back with it. */
export type Deleted<T> = T & Partial<Attachments> & { deletedDateTime: string }

export interface Attachments {
  oauth2PermissionGrants: OAuth2PermissionGrant[]
  appRoleAssignments: AppRoleAssignment[]
}

/** `directory/deletedItems`. */
interface DeletedItems {
  applications: Deleted<Application>[]
  servicePrincipals: Deleted<ServicePrincipal>[]
  groups: Deleted<Group>[]
}

/** What members may do without any role: a part of Graph's authorizationPolicy. */
export interface AuthorizationPolicy {
  allowedToCreateApps: boolean
  allowedToCreateSecurityGroups: boolean
}

/** What the tenant's app management policies say about secrets of every app. */
interface AppManagementPolicy {
  /** Restriction `passwordAddition`. */
  passwordAddition: 'allowed' | 'refused'
  /** Restriction `passwordLifetime`, in days; null: none. */
  passwordLifetimeDays: number | null
}

/** The directory as those know it who deploy and clean up: with its recycle bin and its policies. */
export class ManagedDirectory extends Directory {
  readonly deletedItems: DeletedItems = { applications: [], servicePrincipals: [], groups: [] }
  /** Apps need a role here, as in most companies; security groups do not. */
  readonly authorizationPolicy: AuthorizationPolicy = {
    allowedToCreateApps: false,
    allowedToCreateSecurityGroups: true,
  }
  readonly appManagementPolicy: AppManagementPolicy = {
    passwordAddition: 'allowed',
    passwordLifetimeDays: null,
  }
}

/** The same objects, to be managed through Microsoft Graph, which has permissions for that. */
export function manage(seeded: Directory): ManagedDirectory {
  const directory = new ManagedDirectory(seeded)
  const graph = directory.application(GRAPH_APP_ID)
  if (!graph) throw new Error('The seed has no Microsoft Graph.')
  addPermissions(graph)
  return directory
}
