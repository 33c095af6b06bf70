/** Is an app registration what permissions.json and the deployment say? */
import type { Permissions } from '../../app/permissions.ts'
import type { Application } from '../graph/graph-objects.ts'
import { type Finding, type Measure, REDEPLOY } from './finding.ts'

/** Texts that are on one side only; order does not count. */
function difference(wanted: readonly string[], live: readonly string[]): string | undefined {
  const missing = wanted.filter((one) => !live.includes(one)).map((one) => `missing: ${one}`)
  const strange = live.filter((one) => !wanted.includes(one)).map((one) => `not ours: ${one}`)
  return [...missing, ...strange].join('; ') || undefined
}

/** https://host/mcp and https://host for each URL, and the form that needs no host. */
export function identifierUris({ environment, deployment }: Measure): string[] {
  const urls = [deployment.SERVER_URL, ...environment.EXTRA_SERVER_URLS]
  return [...urls.flatMap((url) => [url, url.replace(/\/mcp$/, '')]), `api://${deployment.ENTRA_CLIENT_ID}`]
}

/** `a client may have these scopes`, as one text each. */
function preAuthorized({ environment, deployment, permissions }: Measure): string[] {
  const clients = [
    ...permissions.clients.map(({ appId }) => appId),
    ...environment.EXTRA_CLIENTS,
    deployment.ENTRA_PUBLIC_CLIENT_ID,
  ]
  const scopes = enabledScopes(permissions).map(({ id }) => id)
  return [...new Set(clients)].map((appId) => `${appId} for ${scopes.toSorted().join(' ')}`)
}

/** A scope that is about to be removed is declared with `isEnabled: false`. */
const isEnabled = ({ isEnabled: on }: { isEnabled?: boolean | undefined }) => on !== false
const enabledScopes = ({ scopes }: Permissions) => scopes.filter(isEnabled)

export function apiFindings(
  title: string,
  app: Application | undefined,
  uris: string[],
  measure: Measure,
): Finding[] {
  const name = (text: string) => `${title}: ${text}`
  if (!app) return [{ title: name('is there'), wrong: 'not found', fix: REDEPLOY }]
  const { oauth2PermissionScopes, preAuthorizedApplications, requestedAccessTokenVersion } = app.api
  const line = (id: string, value: string, type: string, on: boolean) =>
    `${value} (${id}, ${type}${on ? '' : ', disabled'})`
  const wanted = measure.permissions.scopes.map((one) => line(one.id, one.value, one.type, isEnabled(one)))
  const live = oauth2PermissionScopes.map((one) =>
    line(one.id, one.value ?? '', one.type ?? '', one.isEnabled),
  )
  const clients = preAuthorizedApplications.map(
    ({ appId, delegatedPermissionIds }) => `${appId} for ${delegatedPermissionIds.toSorted().join(' ')}`,
  )
  const version =
    requestedAccessTokenVersion === 2 ? undefined : `version ${requestedAccessTokenVersion ?? 1}`
  return [
    { title: name('version 2 tokens'), wrong: version, fix: REDEPLOY },
    { title: name('identifier URIs'), wrong: difference(uris, app.identifierUris), fix: REDEPLOY },
    { title: name('scopes'), wrong: difference(wanted, live), fix: REDEPLOY },
    {
      title: name('pre-authorized clients'),
      wrong: difference(preAuthorized(measure), clients),
      fix: REDEPLOY,
    },
  ]
}

/** A credential that the template does not know opens a second door to every user's data. */
export function secretless(title: string, app: Application | undefined, allowedPrefix?: string): Finding {
  const isForeign = ({ displayName }: { displayName?: string | null | undefined }) =>
    !(allowedPrefix && displayName?.startsWith(allowedPrefix))
  const line = (kind: string) => (one: { keyId: string; displayName?: string | null | undefined }) =>
    `${kind} ${one.displayName ?? ''} (${one.keyId})`
  const found = [
    ...(app?.passwordCredentials ?? []).filter(isForeign).map(line('secret')),
    ...(app?.keyCredentials ?? []).filter(isForeign).map(line('certificate')),
  ]
  const fix = allowedPrefix
    ? 'Delete it in the Entra admin center: App registrations > Certificates & secrets'
    : REDEPLOY
  return { title: `${title}: no credential of somebody else`, wrong: found.join('; ') || undefined, fix }
}
