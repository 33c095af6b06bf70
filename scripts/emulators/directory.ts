import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type {
  Application,
  AppRoleAssignment,
  ConditionalAccessPolicy,
  DirectoryRole,
  Group,
  OAuth2PermissionGrant,
  PasswordCredential,
  ServicePrincipal,
  User,
} from './directory-objects.ts'

/** Assigned without a role of its own, as the portal does for an app that declares no roles. */
export const DEFAULT_ACCESS = '00000000-0000-0000-0000-000000000000'

/** Template ids of Entra's built-in roles: the same in every tenant. */
export const DIRECTORY_ROLES = {
  'Global Administrator': '62e90394-69f5-4237-9190-012177145e10',
  'Privileged Role Administrator': 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  'Application Administrator': '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  'Cloud Application Administrator': '158c047a-c907-4556-b7ef-446551a6b5f7',
  'Application Developer': 'cf1c38e5-3621-4004-a7cb-879624dced7c',
  'Groups Administrator': 'fdd7a751-b60b-444a-984c-02652fe8fa1c',
} as const

const hashOf = (secret: string) => createHash('sha256').update(secret).digest()

/**
 * The tenant's directory: what Entra signs in with and what Graph shows are the same objects. The collections are
 * plain arrays: whoever changes them changes the tenant.
 */
export class Directory {
  readonly users: User[] = []
  readonly groups: Group[] = []
  readonly applications: Application[] = []
  /** Apps whose home is Microsoft's tenant: they sign in here but are not among `/applications` of Graph. */
  readonly microsoftApplications: Application[] = []
  readonly servicePrincipals: ServicePrincipal[] = []
  readonly oauth2PermissionGrants: OAuth2PermissionGrant[] = []
  readonly appRoleAssignments: AppRoleAssignment[] = []
  readonly conditionalAccessPolicies: ConditionalAccessPolicy[] = []
  readonly directoryRoles: DirectoryRole[] = []
  /** Keyed by keyId. Secrets are kept as hashes only, so that nothing here can ever print one. */
  readonly #secrets = new Map<string, Buffer>()

  constructor(content: Partial<Directory> = {}) {
    Object.assign(this, content)
  }

  application(appId: string): Application | undefined {
    const same = (app: Application) => app.appId === appId.toLowerCase()
    return this.applications.find(same) ?? this.microsoftApplications.find(same)
  }

  isFirstParty(appId: string): boolean {
    return this.microsoftApplications.some((app) => app.appId === appId)
  }

  /** The app that a scope's prefix or a managed identity's `resource` names: identifier URI or appId. */
  resource(name: string): Application | undefined {
    const apps = [...this.applications, ...this.microsoftApplications]
    const app = apps.find(({ identifierUris }) => identifierUris.includes(name)) ?? this.application(name)
    // Without a service principal in this tenant an app is no resource of it.
    return app && this.servicePrincipal(app.appId) ? app : undefined
  }

  servicePrincipal(appId: string): ServicePrincipal | undefined {
    return this.servicePrincipals.find((principal) => principal.appId === appId)
  }

  /** By object id or user principal name; the latter in any case, as a person types it. */
  user(name: string): User | undefined {
    const wanted = name.toLowerCase()
    return this.users.find(
      ({ id, userPrincipalName }) => id === wanted || userPrincipalName.toLowerCase() === wanted,
    )
  }

  directGroups(memberId: string): Group[] {
    return this.groups.filter(({ members }) => members.includes(memberId))
  }

  /** Template ids of the directory roles that a user or service principal holds. */
  rolesOf(principalId: string): Set<string> {
    const held = this.directoryRoles.filter(({ members }) => members.includes(principalId))
    return new Set(held.map(({ roleTemplateId }) => roleTemplateId))
  }

  /** Direct and nested, each once; a circle of groups ends. */
  transitiveGroups(memberId: string): Group[] {
    const found = new Set<Group>()
    const queue = this.directGroups(memberId)
    for (let group = queue.shift(); group; group = queue.shift()) {
      if (found.has(group)) continue
      found.add(group)
      queue.push(...this.directGroups(group.id))
    }
    return [...found]
  }

  /** Of a user or service principal, to the app with that service principal; nested groups do not count. */
  assignments(principalId: string, resourceId: string): AppRoleAssignment[] {
    const holders = new Set([principalId, ...this.directGroups(principalId).map(({ id }) => id)])
    return this.appRoleAssignments.filter(
      (assignment) => assignment.resourceId === resourceId && holders.has(assignment.principalId),
    )
  }

  /** What Graph's `addPassword` does: makes the secret up and shows it this once. */
  addPassword(
    app: Application,
    displayName: string,
    endDateTime: Date,
  ): PasswordCredential & { secretText: string } {
    const secretText = randomBytes(30).toString('base64url')
    const credential = {
      keyId: randomUUID(),
      displayName,
      hint: secretText.slice(0, 3),
      startDateTime: new Date().toISOString(),
      endDateTime: endDateTime.toISOString(),
    }
    app.passwordCredentials.push(credential)
    this.#secrets.set(credential.keyId, hashOf(secretText))
    return { ...credential, secretText }
  }

  passwordOf(app: Application, secret: string): PasswordCredential | undefined {
    const hash = hashOf(secret)
    return app.passwordCredentials.find(({ keyId }) => {
      const known = this.#secrets.get(keyId)
      return known && timingSafeEqual(known, hash)
    })
  }
}
