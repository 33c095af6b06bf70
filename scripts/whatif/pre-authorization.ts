/** Why Microsoft Graph would refuse the pre-authorized clients of a live app. */

import type { Json } from '../bicep/template.ts'
import type { Value } from '../bicep/value.ts'
import type { Found } from './blockers.ts'
import type { LiveProperties } from './keys.ts'
import { isObject, isProperties, type WantedProperties } from './open.ts'

export const isRecord = (value: unknown): value is Record<string, Json> => isObject(value)
export const records = (value: unknown): Record<string, Json>[] =>
  Array.isArray(value) ? value.filter(isRecord) : []
export const wantedRecords = (value: Value | undefined): WantedProperties[] =>
  Array.isArray(value) ? value.filter(isProperties) : []

const idsOf = (scopes: readonly { [key: string]: unknown }[]) =>
  new Set(scopes.filter(({ isEnabled }) => isEnabled !== false).map(({ id }) => id))

/** Pass by pass: clients can be given only scopes that were there before that write. */
export function preAuthorizations(passes: readonly WantedProperties[], live: LiveProperties): Found[] {
  const api = isRecord(live.api) ? live.api : {}
  let present = idsOf(records(api.oauth2PermissionScopes))
  for (const pass of passes) {
    const said = isProperties(pass.api) ? pass.api : {}
    const clients = wantedRecords(said.preAuthorizedApplications)
    const ids = clients.flatMap(({ delegatedPermissionIds: all }) => (Array.isArray(all) ? all : []))
    const early = ids.find((id) => typeof id === 'string' && !present.has(id))
    if (early !== undefined)
      return [
        {
          rule: 'pre-authorized-too-early',
          what: `A client is pre-authorized for the scope ${String(early)} in the same write that adds or enables it.`,
          wayOut: 'Declare the app twice with one uniqueName: first with the scopes, then with the clients.',
        },
      ]
    if (said.oauth2PermissionScopes !== undefined) present = idsOf(wantedRecords(said.oauth2PermissionScopes))
  }
  return []
}

/** A live client would keep a scope that a pass before its list takes away. */
export function leftClients(passes: readonly WantedProperties[], live: LiveProperties): Found[] {
  const api = isRecord(live.api) ? live.api : {}
  const first = passes.find((pass) => isProperties(pass.api) && pass.api.oauth2PermissionScopes !== undefined)
  const said = first && isProperties(first.api) ? first.api : {}
  if (!first || said.preAuthorizedApplications !== undefined) return []
  const kept = new Set(wantedRecords(said.oauth2PermissionScopes).map(({ id }) => id))
  const lost = records(api.preAuthorizedApplications)
    .flatMap(({ delegatedPermissionIds: all }) => (Array.isArray(all) ? all : []))
    .find((id) => !kept.has(String(id)))
  if (lost === undefined) return []
  return [
    {
      rule: 'removed-in-one-step',
      what: `The scope ${String(lost)} would be removed while a live client is pre-authorized for it.`,
      wayOut: 'Remove that pre-authorization in the Entra admin center (Expose an API), then deploy.',
    },
  ]
}
