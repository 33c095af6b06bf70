/** Who may use an app, and what the app itself may do: assignments, federated credentials, consent. */

import type { Context } from '../cli/script.ts'
import {
  Assignment,
  FederatedCredential,
  quoted,
  Resource,
  ServicePrincipal,
  select,
} from '../graph/graph-objects.ts'
import { consentClients, grantsOf, words } from './consent.ts'
import { isSame, wantedCredential } from './federate.ts'
import { type Finding, type Measure, REDEPLOY, REPEAT } from './finding.ts'

export async function principalFindings(
  { directory }: Context,
  { environment, deployment }: Measure,
  title: string,
  appId: string,
): Promise<Finding[]> {
  const path = `/servicePrincipals(appId=${quoted(appId)})`
  const [principal, assignments] = await Promise.all([
    directory.get(`${path}?${select(ServicePrincipal)}`, ServicePrincipal),
    directory.list(`${path}/appRoleAssignedTo`, Assignment),
  ])
  if (!principal) return [{ title: `${title}: service principal`, wrong: 'not found', fix: REDEPLOY }]
  const required = environment.RESTRICT_TO_ASSIGNED_USERS
  const groups = {
    'admin group': deployment.ENTRA_ADMIN_GROUP_ID,
    'users group': deployment.ENTRA_USERS_GROUP_ID,
  }
  const missing = Object.entries(groups).filter(
    ([, id]) => !assignments.some(({ principalId }) => principalId.toLowerCase() === id),
  )
  return [
    {
      title: `${title}: sign-in is enabled${required ? ', for assigned users only' : ''}`,
      wrong:
        principal.accountEnabled === false
          ? 'disabled'
          : (principal.appRoleAssignmentRequired ?? false) === required
            ? undefined
            : `assignment is ${required ? 'not ' : ''}required`,
      fix: REDEPLOY,
    },
    {
      title: `${title}: groups are assigned`,
      wrong: missing.map(([name, id]) => `missing: ${name} ${id}`).join('; ') || undefined,
      fix: REDEPLOY,
    },
  ]
}

export async function credentialFindings(
  { directory }: Context,
  { environment, deployment }: Measure,
): Promise<Finding[]> {
  const { ENTRA_API_APP_OBJECT_ID, ENTRA_DEV_APP_OBJECT_ID } = deployment
  const path = (id: string) => `/applications/${id}/federatedIdentityCredentials`
  const [live, ofDev] = await Promise.all([
    directory.list(path(ENTRA_API_APP_OBJECT_ID), FederatedCredential),
    ENTRA_DEV_APP_OBJECT_ID ? directory.list(path(ENTRA_DEV_APP_OBJECT_ID), FederatedCredential) : [],
  ])
  const wanted = wantedCredential(environment, deployment)
  const strange = [
    ...live.filter((one) => !isSame(one, wanted)).map((one) => ({ ...one, app: ENTRA_API_APP_OBJECT_ID })),
    ...ofDev.map((one) => ({ ...one, app: ENTRA_DEV_APP_OBJECT_ID ?? '' })),
  ]
  const [first] = strange
  const stranger = strange.map(({ name, subject }) => `${name} (subject ${subject})`).join('; ')
  const remove = first && `${environment.GRAPH_ENDPOINT}/v1.0${path(first.app)}/${first.id}`
  return [
    {
      title: 'API app: the managed identity is its federated credential',
      wrong: live.some((one) => isSame(one, wanted)) ? undefined : 'missing',
      fix: REPEAT,
    },
    {
      title: 'No federated credential of somebody else',
      wrong: stranger || undefined,
      fix: first?.name === wanted.name ? REPEAT : `az rest --method DELETE --url ${remove}`,
    },
  ]
}

export async function grantFindings(
  { directory }: Context,
  { deployment, permissions }: Measure,
): Promise<Finding[]> {
  const pairs = consentClients(deployment).flatMap((client) =>
    permissions.downstreamApis.map((api) => ({ client, api })),
  )
  return Promise.all(
    pairs.map(async ({ client, api }) => {
      const [resource, grants] = await Promise.all([
        directory.get(`/servicePrincipals(appId=${quoted(api.appId)})?${select(Resource)}`, Resource),
        grantsOf(directory, client.principalId),
      ])
      const granted = grants
        .filter(
          ({ consentType, resourceId }) => consentType === 'AllPrincipals' && resourceId === resource?.id,
        )
        .flatMap(({ scope }) => words(scope))
      const missing = api.permissions
        .filter(({ value }) => !granted.includes(value))
        .map(({ value }) => value)
      return {
        title: `${client.title}: consent for ${api.displayName}`,
        wrong: missing.length > 0 ? `missing: ${missing.join(', ')}` : undefined,
        fix: 'npm run consent    (as an administrator)',
        isConsent: true,
      }
    }),
  )
}
