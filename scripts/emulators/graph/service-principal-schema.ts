import { z } from 'zod'
import type { Directory } from '../directory.ts'
import type { ServicePrincipal } from '../directory-objects.ts'
import { nullable } from './body.ts'
import type { Filterable } from './filter.ts'

export const PRINCIPAL_FILTERS: Filterable = {
  id: ['eq', 'ne', 'in'],
  appId: ['eq', 'ne', 'in'],
  displayName: ['eq', 'ne', 'in', 'startswith', 'endswith'],
  servicePrincipalType: ['eq'],
  servicePrincipalNames: ['any'],
  tags: ['any'],
}

export const SERVICE_PRINCIPAL = {
  resource: 'ServicePrincipal',
  readOnly: ['id', 'createdDateTime', 'deletedDateTime', 'servicePrincipalType', 'appDisplayName'],
}

export const PrincipalPatch = z.strictObject({
  appId: z.guid().optional(),
  displayName: z.string().min(1).max(256).optional(),
  description: nullable(z.string()),
  notes: nullable(z.string()),
  tags: z.array(z.string()).optional(),
  accountEnabled: z.boolean().optional(),
  appRoleAssignmentRequired: z.boolean().optional(),
  passwordCredentials: z.array(z.never()).optional(),
  keyCredentials: z.array(z.never()).optional(),
})
export type PrincipalPatch = z.infer<typeof PrincipalPatch>

/** With what it shows of its app. */
export function principalView(directory: Directory, principal: ServicePrincipal) {
  const { owners: _, ...shown } = principal
  const app = directory.application(principal.appId)
  return {
    ...shown,
    description: principal.description ?? null,
    notes: principal.notes ?? null,
    tags: principal.tags ?? [],
    passwordCredentials: (principal.passwordCredentials ?? []).map((one) => ({ ...one, secretText: null })),
    keyCredentials: (principal.keyCredentials ?? []).map((one) => ({ ...one, key: null })),
    deletedDateTime: null as string | null,
    appDisplayName: app?.displayName ?? null,
    appRoles: app?.appRoles ?? [],
    oauth2PermissionScopes: app?.api.oauth2PermissionScopes ?? [],
    servicePrincipalNames: [...(app?.identifierUris ?? []), principal.appId],
    signInAudience: app?.signInAudience ?? null,
  }
}

/** A property that is not said stays as it is. */
export function patchedPrincipal(principal: ServicePrincipal, patch: PrincipalPatch): ServicePrincipal {
  const { passwordCredentials: _, keyCredentials: __, appId: ___, ...rest } = patch
  const said = Object.entries(rest).filter(([, value]) => value !== undefined)
  return { ...principal, ...Object.fromEntries(said) }
}
