/** Scopes and roles that a deployment would remove or rename although they are enabled: Entra refuses that. */
import type { Permissions } from '../../app/permissions.ts'
import type { Application } from '../graph/graph-objects.ts'

interface Declared {
  id: string
  value: string
}
interface Live {
  id: string
  value?: string | null | undefined
  isEnabled: boolean
}

function lost(kind: string, live: readonly Live[], declared: readonly Declared[]): string[] {
  return live
    .filter(({ isEnabled }) => isEnabled)
    .flatMap(({ id, value }) => {
      const now = declared.find((one) => one.id === id)
      if (!now) return [`${kind} ${value ?? id} would be removed while it is enabled`]
      return now.value === value
        ? []
        : [`${kind} ${value ?? id} would be renamed to ${now.value} while it is enabled`]
    })
}

/** A text for each, empty when the deployment may go on. */
export const removals = ({ api, appRoles }: Application, permissions: Permissions): string[] => [
  ...lost('scope', api.oauth2PermissionScopes, permissions.scopes),
  ...lost('role', appRoles, permissions.appRoles),
]
