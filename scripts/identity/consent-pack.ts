/** What an administrator needs to grant consent when whoever deploys may not: printed, and kept beside the azd environment. */
import type { DownstreamApi, Permissions } from '../../app/permissions.ts'
import type { Environment } from '../cli/environment.ts'

export interface ConsentClient {
  /** How people call it. */
  title: string
  appId: string
  /** Object id of its service principal. */
  principalId: string
}

/** For APIs that the tenant has never met. */
const firstOf = (unknown: readonly DownstreamApi[]): string =>
  unknown.length === 0
    ? ''
    : `This tenant has never met ${unknown.map(({ displayName }) => displayName).join(', ')}: before anybody can consent, an
administrator makes the service principal (step 1 below does it too):

${unknown.map(({ appId }) => `    az ad sp create --id ${appId}`).join('\n')}

`

/** Markdown: who, what, what for, and how. */
export function consentPack(
  environment: Environment,
  tenantId: string,
  clients: readonly ConsentClient[],
  { downstreamApis, tools }: Permissions,
  unknown: readonly DownstreamApi[],
): string {
  const { AZURE_ENV_NAME, ENTRA_AUTHORITY_HOST } = environment
  const rows = downstreamApis.flatMap(({ displayName, permissions }) =>
    permissions.map(({ value, id, reason }) => `| ${displayName} | \`${value}\` | \`${id}\` | ${reason} |`),
  )
  const waiting = tools
    .filter(({ downstreamApis: needed, sources }) => needed.length + sources.length > 0)
    .map(({ name }) => `\`${name}\``)
  const links = clients.map(
    ({ title, appId }) =>
      `- ${title} (\`${appId}\`): <${ENTRA_AUTHORITY_HOST}/${tenantId}/adminconsent?client_id=${appId}>`,
  )
  return `# Admin consent for azd environment ${AZURE_ENV_NAME}

The deployment is complete except for this consent. Until it is given, callers of ${waiting.join(', ')} are told that
consent is missing (AADSTS65001); everything else works.

Delegated permissions, used only on behalf of a signed-in user:

| API | permission | id | what for |
| --- | --- | --- | --- |
${rows.join('\n')}

${firstOf(unknown)}An administrator (Cloud Application Administrator, Application Administrator or Privileged Role Administrator) does
one of these.

1. With this repository, signed in to azd (\`azd auth login --tenant-id ${tenantId}\`; where the environment is not known
   yet: \`azd env refresh --environment ${AZURE_ENV_NAME}\`):

   \`\`\`
   npm run consent -- --environment ${AZURE_ENV_NAME}
   \`\`\`

2. With a browser, once for each app. The apps have no page to return to, so the last page may say AADSTS500113 (no
   reply address); the check below says whether the consent counts. If not: Entra admin center > App registrations >
   the app > API permissions > Grant admin consent.

   ${links.join('\n   ')}

Afterwards \`npm run verify -- --environment ${AZURE_ENV_NAME}\` shows whether it counts.
`
}
