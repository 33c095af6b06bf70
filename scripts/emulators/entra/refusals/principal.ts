import type { Application, User } from '../../directory-objects.ts'
import { EntraError, invalidGrant } from '../errors.ts'

// The person, or the app that stands for itself. Texts and OAuth codes as Entra sends them.

export const silent = () =>
  new EntraError(50058, 'login_required', 'A silent sign-in request was sent but no user is signed in.')

export const gone = () => invalidGrant(500341, 'The user account has been deleted from the directory.')

export const disabled = () => invalidGrant(50057, 'The user account is disabled.')

export const unassigned = ({ appId, displayName }: Application, { userPrincipalName }: User) =>
  new EntraError(
    50105,
    'access_denied',
    `Your administrator has configured the application ${displayName} ('${appId}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '${userPrincipalName}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application.`,
  )

export const appUnassigned = (app: Application, resource: Application) =>
  invalidGrant(
    501051,
    `Application '${app.appId}'(${app.displayName}) is not assigned to a role for the application '${resource.appId}'(${resource.displayName}).`,
  )

export const stepUp = ({ appId }: Application, claims: string) =>
  new EntraError(
    50076,
    'interaction_required',
    `Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '${appId}'.`,
    { suberror: 'basic_action', claims },
  )
