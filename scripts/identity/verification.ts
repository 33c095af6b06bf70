/** The identity as it should be, compared with what the directory holds: permissions.json and the outputs are the measure. */
import { loadPermissions } from '../../app/permissions.ts'
import { deploymentOf } from '../cli/environment.ts'
import type { Context } from '../cli/script.ts'
import { Application, quoted, select } from '../graph/graph-objects.ts'
import { credentialFindings, grantFindings, principalFindings } from './access-findings.ts'
import { apiFindings, identifierUris, secretless } from './app-findings.ts'
import { DEVELOPER_PREFIX } from './dev-secret.ts'
import { type Finding, REDEPLOY } from './finding.ts'

/** One reading of everything, in three round trips at most where Graph's pages suffice. */
export async function findings(context: Context): Promise<Finding[]> {
  const { directory, environment } = context
  const deployment = deploymentOf(context)
  const measure = { environment, deployment, permissions: loadPermissions() }
  const app = (appId: string) =>
    directory.get(`/applications(appId=${quoted(appId)})?${select(Application)}`, Application)
  const dev = deployment.ENTRA_DEV_CLIENT_ID
  const [api, client, devApp, principal, devPrincipal, credentials, grants] = await Promise.all([
    app(deployment.ENTRA_CLIENT_ID),
    app(deployment.ENTRA_PUBLIC_CLIENT_ID),
    dev ? app(dev) : undefined,
    principalFindings(context, measure, 'API app', deployment.ENTRA_CLIENT_ID),
    dev ? principalFindings(context, measure, 'Dev API app', dev) : [],
    credentialFindings(context, measure),
    grantFindings(context, measure),
  ])
  const clientFound = client ? undefined : 'not found'
  const devUris = [deployment.LOCAL_DEVELOPMENT_URL ?? '', `api://${dev}`]
  return [
    ...apiFindings('API app', api, identifierUris(measure), measure),
    secretless('API app', api),
    ...principal,
    ...credentials,
    { title: 'Public client: is there', wrong: clientFound, fix: REDEPLOY },
    secretless('Public client', client),
    ...(dev
      ? [
          ...apiFindings('Dev API app', devApp, devUris, measure),
          secretless('Dev API app', devApp, DEVELOPER_PREFIX),
          ...devPrincipal,
        ]
      : []),
    ...grants,
  ]
}
