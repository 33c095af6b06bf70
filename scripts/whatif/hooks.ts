/** What the hooks write after a deployment: consent for permissions.json, and the federated credential. */

import { z } from 'zod'
import type { Compiled } from '../bicep/compile.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { Knowledge } from './knowledge.ts'
import { isProperties } from './open.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

/** The part of `permissions.json` that counts here; other projects may have none. */
export const Declaration = z.object({
  clients: z.array(z.object({ name: z.string(), appId: z.string() })).default([]),
  downstreamApis: z
    .array(
      z.object({
        displayName: z.string(),
        appId: z.string(),
        permissions: z.array(z.object({ value: z.string(), id: z.string() })),
      }),
    )
    .default([]),
})
export type Declaration = z.infer<typeof Declaration>

const CREDENTIAL = 'server-managed-identity'
const SERVER_IDENTITY = { module: undefined, symbol: 'managed identity of the server', path: [] }

export interface Hooks {
  declaration: Declaration | undefined
  outputs: Compiled['outputs']
  /** The azd environment: the outputs of the last deployment are among it. */
  variables: Readonly<Record<string, string>>
  tenantId: string
  authorityHost: string
}

const hookObject = (
  type: WantedObject['type'],
  key: string,
  properties: () => Record<string, Value>,
): WantedObject => ({
  key: `${type}/${key}`,
  type,
  symbols: [],
  by: 'hook',
  isMerged: true,
  passes: () => [properties()],
})

/** Objects that nobody declares but that the hooks refer to. */
export const downstreamPrincipals = (declaration: Declaration | undefined): WantedObject[] =>
  (declaration?.downstreamApis ?? []).map(({ appId }) =>
    hookObject('servicePrincipals', appId, () => ({ appId })),
  )

const asksFor = (app: Record<string, Value>, appId: string): boolean =>
  Array.isArray(app.requiredResourceAccess) &&
  app.requiredResourceAccess.some((one) => isProperties(one) && one.resourceAppId === appId)

/** One grant for every app that asks for a downstream API. */
export function consentObjects(
  declaration: Declaration | undefined,
  template: readonly WantedObject[],
  knowledge: Knowledge,
): WantedObject[] {
  const principals = template.flatMap((principal) => {
    if (principal.type !== 'servicePrincipals') return []
    const { appId } = propertiesOf(principal, knowledge)
    const app = template.find(({ key }) => appId instanceof Unknown && key === appId.key)
    return app ? [{ principal, app: propertiesOf(app, knowledge) }] : []
  })
  return (declaration?.downstreamApis ?? []).flatMap((api) =>
    principals
      .filter(({ app }) => asksFor(app, api.appId))
      .map(({ principal }) => {
        const name = principal.symbols[0]?.split('/').at(-1) ?? principal.key
        return hookObject('oauth2PermissionGrants', `${name} ${api.displayName}`, () => ({
          clientId: knowledge.given(principal.key, 'id', name),
          consentType: 'AllPrincipals',
          resourceId: knowledge.given(`servicePrincipals/${api.appId}`, 'id', api.displayName),
          scope: api.permissions.map(({ value }) => value).join(' '),
        }))
      }),
  )
}

/** The managed identity of the server; in a project without these two outputs there is no such hook. */
export function credentialObjects(hooks: Hooks): WantedObject[] {
  const { ENTRA_API_APP_UNIQUE_NAME: app, SERVER_IDENTITY_PRINCIPAL_ID: identity } = hooks.outputs
  if (typeof app !== 'string' || identity === undefined) return []
  const subject = hooks.variables.SERVER_IDENTITY_PRINCIPAL_ID
  return [
    hookObject('applications/federatedIdentityCredentials', `${app}/${CREDENTIAL}`, () => ({
      name: `${app}/${CREDENTIAL}`,
      issuer: `${hooks.authorityHost}/${hooks.tenantId}/v2.0`,
      subject: subject || new Unknown({ kind: 'source', source: SERVER_IDENTITY }),
      audiences: ['api://AzureADTokenExchange'],
    })),
  ]
}
