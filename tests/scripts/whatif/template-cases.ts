/** What is to be seen in each of the small templates, as its `expected.md` says. */
import type { Application, Group } from '../../../scripts/emulators/directory-objects.ts'
import type { startStage } from '../stage.ts'

type Directory = Awaited<ReturnType<typeof startStage>>['directory']

export interface TemplateCase {
  /** What is declared: module path and symbol, and what an upsert finds the object by. */
  objects: readonly string[]
  /** Title and path of each difference of a first deployment that is more than low. */
  high?: readonly string[]
  medium?: readonly string[]
  /** Texts of what is known only after the deployment. */
  unknown?: readonly string[]
  /** What will fail at the first deployment. */
  fails?: readonly string[]
  /** Beside the case's folder. */
  parameters?: string
  environment?: Record<string, string>
  /** What the emulator of Microsoft Graph cannot be told by a deployment. */
  afterwards?: (directory: Directory) => void
  /** What is found although nobody has changed anything. */
  calm?: readonly string[]
  /** What stays unknown of what is there: title, path and grade. */
  open?: readonly string[]
  /** Somebody changes this. */
  byHand: (directory: Directory) => void
  /** What is seen of it: title, action and path, or what is there and not declared. */
  seen: readonly string[]
}

const app = ({ applications }: Directory, uniqueName: string): Application => found(applications, uniqueName)
const group = ({ groups }: Directory, uniqueName: string): Group => found(groups, uniqueName)

function found<T extends { uniqueName?: string | null }>(all: readonly T[], uniqueName: string): T {
  const one = all.find((other) => other.uniqueName === uniqueName)
  if (!one) throw new Error(`${uniqueName} is not there.`)
  return one
}
const retitle = (uniqueName: string) => (directory: Directory) => {
  app(directory, uniqueName).displayName = 'Changed by hand'
}
const CAROL = 'ca401000-3e71-4c20-af33-218d5e9cb003'

const GUID = '00000000-0000-0000-0000-000000000000'

export const CASES: Readonly<Record<string, TemplateCase>> = {
  '01-loops-in-properties': {
    objects: ['portal supplier-portal', 'portalPrincipal {portal.appId}'],
    medium: [
      'Supplier portal requiredResourceAccess[Microsoft Graph]',
      'Supplier portal web.redirectUris',
      'Supplier portal web.redirectUris',
    ],
    byHand: (directory) => void app(directory, 'supplier-portal').web.redirectUris.pop(),
    seen: ['Supplier portal add web.redirectUris'],
  },
  '02-site-properties-by-union': {
    objects: ['intranet intranet-search'],
    medium: ['Intranet search web.redirectUris'],
    byHand: retitle('intranet-search'),
    seen: ['Intranet search change displayName'],
  },
  '03-one-module-twice': {
    objects: [
      'nightly/app nightly-builds',
      'nightly/principal {app.appId}',
      'releases/app release-publisher',
      'releases/github release-publisher/github-production',
      'releases/principal {app.appId}',
    ],
    high: ['release-publisher/github-production subject'],
    byHand: (directory) => {
      for (const one of app(directory, 'release-publisher').federatedIdentityCredentials)
        one.subject = 'repo:evil/warehouse:environment:production'
    },
    seen: ['release-publisher/github-production change subject'],
  },
  '04-credential-named-by-reference': {
    objects: [
      'deployer docs-site-deployer',
      'deployer::mainBranch docs-site-deployer/main-branch',
      'pullRequests docs-site-deployer/pull-requests',
    ],
    high: ['docs-site-deployer/main-branch subject', 'docs-site-deployer/pull-requests subject'],
    byHand: (directory) => void app(directory, 'docs-site-deployer').federatedIdentityCredentials.pop(),
    seen: [
      ...['issuer', 'subject', 'audiences'].map((path) => `docs-site-deployer/pull-requests add ${path}`),
    ],
  },
  '05-certificate-from-parameter': {
    objects: ['ledger ledger-sync', 'ledgerPrincipal {ledger.appId}'],
    high: ['Ledger sync keyCredentials[CN=ledger-sync]'],
    byHand: (directory) => {
      for (const one of app(directory, 'ledger-sync').keyCredentials) one.endDateTime = '2037-11-25T22:43:48Z'
    },
    seen: ['Ledger sync change keyCredentials[CN=ledger-sync].endDateTime'],
  },
  '07-literal-identifier-uri': {
    objects: ['travel travel-desk-api'],
    medium: ['Travel desk API api.oauth2PermissionScopes[Trips.Book]'],
    fails: ['Travel desk API identifier-uri-refused'],
    byHand: retitle('travel-desk-api'),
    seen: ['Travel desk API change displayName'],
  },
  '08-permissions-by-name': {
    objects: [
      'finder people-finder',
      'finderPrincipal {finder.appId}',
      'mayReadUsers {graph.id} {finderPrincipal.id} first(filter({graph.appRoles}, lambda(r, equals(lambdaVariables(r).value, User.Read.All)))).id',
    ],
    high: [
      'People finder requiredResourceAccess[Microsoft Graph]',
      'People finder → Microsoft Graph appRoleId',
    ],
    byHand: retitle('people-finder'),
    seen: ['People finder change displayName'],
  },
  '09-replace-everywhere': {
    objects: ['approverGroup invoice-approvers', 'auditorGroup invoice-auditors'],
    high: ['Invoice auditors owners'],
    medium: ['Invoice approvers members', 'Invoice auditors members'],
    fails: ['Invoice approvers replaced-on-new-object', 'Invoice auditors replaced-on-new-object'],
    byHand: (directory) => {
      group(directory, 'invoice-approvers').members.push(CAROL)
      group(directory, 'invoice-auditors').members.push(CAROL)
    },
    seen: ['Invoice approvers remove members'],
  },
  '10-issuer-of-this-cloud': {
    objects: ['broker report-broker', 'signsInAsBroker report-broker/managed-identity'],
    high: ['report-broker/managed-identity subject'],
    byHand: (directory) => {
      for (const one of app(directory, 'report-broker').federatedIdentityCredentials)
        one.issuer = 'https://evil.example'
    },
    seen: ['report-broker/managed-identity change issuer'],
  },
  '11-identity-in-the-same-file': {
    objects: [
      'api invoice-api',
      'workerSignsIn invoice-api/worker',
      'apiPrincipal {api.appId}',
      'workerMayPost {apiPrincipal.id} {worker.principalId} 8176f66e-3a98-5996-ade3-a58d3619be02',
    ],
    high: ['invoice-api/worker subject', '{worker.principalId} → Invoice API appRoleId'],
    medium: ['Invoice API appRoles[Invoices.Post]'],
    unknown: ['{worker.principalId}'],
    // Which identity holds it, nobody has recorded.
    calm: ['Invoice API has appRoleAssignedTo'],
    open: ['invoice-api/worker, subject: high', '{worker.principalId} → Invoice API, : high'],
    byHand: retitle('invoice-api'),
    seen: ['Invoice API change displayName'],
  },
  '13-grants-for-all-and-for-one': {
    objects: [
      'calendar calendar-helper',
      'calendarPrincipal {calendar.appId}',
      'forEverybody {calendarPrincipal.id} {graph.id} AllPrincipals',
      `forThePilot {calendarPrincipal.id} {graph.id} Principal ${CAROL}`,
    ],
    high: ['Calendar helper → Microsoft Graph scope', 'Calendar helper → Microsoft Graph scope'],
    medium: [
      'Calendar helper → Microsoft Graph (Carol Clark) scope',
      'Calendar helper → Microsoft Graph (Carol Clark) scope',
    ],
    byHand: (directory) => void directory.oauth2PermissionGrants.splice(1, 1),
    seen: [
      'Calendar helper → Microsoft Graph (Carol Clark) add scope',
      'Calendar helper → Microsoft Graph (Carol Clark) add scope',
    ],
  },
  '14-members-by-user-name': {
    objects: ['onCall on-call-engineers'],
    high: ['On-call engineers owners'],
    medium: ['On-call engineers members', 'On-call engineers members'],
    byHand: (directory) => void group(directory, 'on-call-engineers').members.pop(),
    seen: ['On-call engineers add members'],
  },
  '15-tenant-scope': {
    objects: ['admins platform-admins', 'teamGroups[0] platform-network', 'teamGroups[1] platform-data'],
    high: ['Platform admins isAssignableToRole', 'Platform team network owners', 'Platform team data owners'],
    afterwards: (directory) => {
      group(directory, 'platform-admins').isAssignableToRole = true
    },
    byHand: (directory) =>
      void Object.assign(group(directory, 'platform-data'), { displayName: 'Changed by hand' }),
    seen: ['Platform team data change displayName'],
  },
  '16-modules-beside-infra': {
    objects: ['signIn/app canteen-menu-dev', 'signIn/principal {app.appId}'],
    parameters: 'infra/main.bicepparam',
    byHand: retitle('canteen-menu-dev'),
    seen: ['Canteen menu (dev) change displayName'],
  },
  '17-prod-parameters': {
    objects: ['kiosk visitor-kiosk-prod'],
    parameters: 'prod.bicepparam',
    medium: ['Visitor kiosk web.redirectUris'],
    byHand: retitle('visitor-kiosk-prod'),
    seen: ['Visitor kiosk change displayName'],
  },
  '17-prod-parameters (test)': {
    objects: ['kiosk visitor-kiosk-test'],
    parameters: 'test.bicepparam',
    high: ['Visitor kiosk (test) signInAudience'],
    medium: ['Visitor kiosk (test) web.redirectUris'],
    byHand: retitle('visitor-kiosk-test'),
    seen: ['Visitor kiosk (test) change displayName'],
  },
  '18-azd-parameters-json': {
    objects: ['login/app parking-dev-'],
    parameters: 'main.parameters.json',
    high: ['Parking (dev) owners'],
    byHand: (directory) => {
      for (const one of directory.applications)
        if (one.displayName === 'Parking (dev)') one.isFallbackPublicClient = true
    },
    seen: ['Parking (dev) change isFallbackPublicClient'],
  },
  '19-imported-function-and-types': {
    objects: ['vouchers meal-vouchers'],
    medium: [
      'Meal vouchers api.oauth2PermissionScopes[Vouchers.Read]',
      'Meal vouchers api.oauth2PermissionScopes[Vouchers.Issue]',
      'Meal vouchers appRoles[Vouchers.Admin]',
    ],
    byHand: (directory) => void app(directory, 'meal-vouchers').appRoles.pop(),
    seen: ['Meal vouchers add appRoles[Vouchers.Admin]'],
  },
  '21-logo-and-links': {
    objects: ['quiz lunch-quiz'],
    high: [
      'Lunch quiz optionalClaims.idToken[email]',
      'Lunch quiz web.implicitGrantSettings.enableIdTokenIssuance',
    ],
    afterwards: (directory) => {
      const at = 'https://quiz.fabrikam.example'
      const links = { marketingUrl: `${at}/about`, privacyStatementUrl: `${at}/privacy` }
      Object.assign(app(directory, 'lunch-quiz'), {
        optionalClaims: {
          idToken: [{ name: 'email', source: null, essential: false, additionalProperties: [] }],
          accessToken: [],
          saml2Token: [],
        },
        info: { ...links, supportUrl: `${at}/help`, termsOfServiceUrl: `${at}/terms` },
      })
    },
    byHand: retitle('lunch-quiz'),
    seen: ['Lunch quiz change displayName'],
  },
  '22-uri-from-default-domain': {
    objects: ['weather weather-mcp'],
    unknown: [
      'https://ca-weather.{environmentOfApps.defaultDomain}/mcp',
      'https://ca-weather.{environmentOfApps.defaultDomain}/.auth/login/aad/callback',
    ],
    // The live host fits, but nobody has recorded that it is the one.
    calm: ['Weather MCP server has identifierUris', 'Weather MCP server has web.redirectUris'],
    byHand: retitle('weather-mcp'),
    seen: ['Weather MCP server change displayName'],
  },
  '24-existing-or-new-group': {
    objects: [
      'library library-loans',
      'libraryPrincipal {library.appId}',
      'made library-readers',
      `access {libraryPrincipal.id} {made.id} ${GUID}`,
    ],
    medium: ['Library readers → Library loans appRoleId'],
    byHand: (directory) => void directory.appRoleAssignments.splice(0),
    seen: ['Library readers → Library loans add appRoleId'],
  },
  '25-beta-extension': {
    objects: [
      'board notice-board',
      'boardPrincipal {board.appId}',
      'editors notice-board-editors',
      'fromActions notice-board/actions',
      'fromAnyRef notice-board/any-ref',
    ],
    medium: ['Notice board web.redirectUris'],
    high: ['notice-board/actions subject', 'notice-board/any-ref claimsMatchingExpression.value'],
    // Of version 1.0, which does not show the expression.
    afterwards: (directory) =>
      void app(directory, 'notice-board').federatedIdentityCredentials.push({
        id: 'any-ref',
        name: 'any-ref',
        issuer: 'https://token.actions.githubusercontent.com',
        subject: '',
        audiences: ['api://AzureADTokenExchange'],
        description: null,
      }),
    open: ['notice-board/any-ref, claimsMatchingExpression: high'],
    byHand: retitle('notice-board'),
    seen: ['Notice board change displayName'],
  },
}
