/** What tool sets that are off may have left behind: named in infra/permissions.json, and not selected by TOOL_SETS. */
import { z } from 'zod'
import { type Declaration, loadDeclaration } from '../../app/declaration.ts'
import { type DownstreamApi, everyToolSet, selectPermissions } from '../../app/permissions.ts'
import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import { type Application, quoted } from '../graph/graph-objects.ts'
import type { Names } from './names.ts'

export interface SwitchedOff {
  /** Ids of scopes and app roles. */
  entitlements: string[]
  /** Downstream APIs, each with the permissions that no selected set asks for. */
  consents: DownstreamApi[]
}

/** The difference between everything and what is selected. */
export function switchedOff(toolSets?: string, declaration: Declaration = loadDeclaration()): SwitchedOff {
  const on = selectPermissions(declaration, toolSets)
  const every = selectPermissions(declaration, everyToolSet(declaration))
  const idsOf = ({ scopes, appRoles }: typeof on) => [...scopes, ...appRoles].map(({ id }) => id)
  const asked = new Set(
    on.downstreamApis.flatMap(({ name, permissions }) => permissions.map(({ id }) => `${name} ${id}`)),
  )
  return {
    entitlements: idsOf(every).filter((id) => !idsOf(on).includes(id)),
    consents: every.downstreamApis
      .map((api) => ({
        ...api,
        permissions: api.permissions.filter(({ id }) => !asked.has(`${api.name} ${id}`)),
      }))
      .filter(({ permissions }) => permissions.length > 0),
  }
}

/** What may be taken away: nothing, as long as TOOL_SETS does not say what is on. */
export const decidedOff = (toolSets?: string, declaration?: Declaration): SwitchedOff =>
  toolSets ? switchedOff(toolSets, declaration) : { entitlements: [], consents: [] }

const Entitlement = z.looseObject({ id: z.string(), value: z.string().nullish(), isEnabled: z.boolean() })
/** Whole, because lists are written as a whole. */
const App = z.object({
  id: z.string(),
  api: z
    .object({
      oauth2PermissionScopes: z.array(Entitlement).default([]),
      preAuthorizedApplications: z
        .array(z.object({ appId: z.string(), delegatedPermissionIds: z.array(z.string()) }))
        .default([]),
    })
    .prefault({}),
  appRoles: z.array(Entitlement).default([]),
})
type Entitlement = z.infer<typeof Entitlement>

/**
 * Disables the scopes and roles of tool sets that are off: Microsoft Graph lets the deployment remove disabled ones
 * only. Clients stop being pre-authorized for them first, as the template's second pass has them. Returns their names.
 */
export async function disableSwitchedOff(
  context: Context,
  { api, dev }: Names,
  { entitlements }: Pick<SwitchedOff, 'entitlements'> = decidedOff(context.environment.TOOL_SETS),
): Promise<string[]> {
  const off = new Set(entitlements)
  const disabled = [await disableIn(context, api, off), await disableIn(context, dev, off)]
  return [...new Set(disabled.flat())]
}

async function disableIn({ directory }: Context, name: string, off: ReadonlySet<string>): Promise<string[]> {
  const path = `/applications(uniqueName=${quoted(name)})`
  const read = () => directory.get(`${path}?$select=id,api,appRoles`, App)
  const app = await read()
  const lost = enabledIn(app, off)
  if (!app || lost.length === 0) return []
  const clients = app.api.preAuthorizedApplications.map((client) => ({
    ...client,
    delegatedPermissionIds: client.delegatedPermissionIds.filter((id) => !off.has(id)),
  }))
  await directory.update(`/applications/${app.id}`, {
    api: { preAuthorizedApplications: clients.filter(({ delegatedPermissionIds: ids }) => ids.length > 0) },
  })
  const disabled = (list: readonly Entitlement[]) =>
    list.map((one) => (off.has(one.id) ? { ...one, isEnabled: false } : one))
  await directory.update(`/applications/${app.id}`, {
    api: { oauth2PermissionScopes: disabled(app.api.oauth2PermissionScopes) },
    appRoles: disabled(app.appRoles),
  })
  // The deployment writes next, and must not meet a replica that has them enabled.
  if (!(await directory.until(read, (now) => enabledIn(now, off).length === 0)))
    throw new Problem({
      what: 'The scopes and roles of tool sets that are off have been disabled but are not readable as such yet.',
      why: 'The deployment would be refused while it removes them.',
      fix: 'azd provision    (in some minutes)',
    })
  return lost
}

/** Names of the scopes and roles that are enabled in `app`, among those of tool sets that are off. */
export const enabledIn = (
  app: Pick<Application, 'api' | 'appRoles'> | undefined,
  off: ReadonlySet<string>,
): string[] =>
  [...(app?.api.oauth2PermissionScopes ?? []), ...(app?.appRoles ?? [])]
    .filter(({ id, isEnabled }) => isEnabled && off.has(id))
    .map(({ id, value }) => value ?? id)
