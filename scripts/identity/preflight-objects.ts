/** What the directory holds that would make a deployment fail half-way, or take over what is not ours. */
import { loadPermissions, type Permissions } from '../../app/permissions.ts'
import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import { Application, quoted, select } from '../graph/graph-objects.ts'
import { findRemovals } from '../whatif/blockers.ts'
import { appsByName, type Belonging, deleted, groupsByName, isTagged, listed, titled } from './belongings.ts'
import type { Names } from './names.ts'
import { binClosed } from './recycle-bin.ts'
import { enabledIn, switchedOff } from './switched-off.ts'

/** In the words of the what-if, but for what a hook disables before the deployment. */
function removals({ api, appRoles }: Application, permissions: Permissions, disabledFirst: string[]) {
  const isLeft = ({ id }: { id: string }) => !disabledFirst.includes(id)
  const named = (all: readonly { id: string; value: string }[]) => all.map(({ id, value }) => ({ id, value }))
  return [
    ...findRemovals('scope', api.oauth2PermissionScopes.filter(isLeft), named(permissions.scopes)),
    ...findRemovals('role', appRoles.filter(isLeft), named(permissions.appRoles)),
  ].map(({ what }) => what)
}

/** Returns what is worth saying; throws what is wrong. */
export type ObjectCheck = (context: Context, names: Names) => Promise<string | undefined>

export const checkNames: ObjectCheck = async ({ directory, environment }, names) => {
  const [apps, groups] = await Promise.all([appsByName(directory, names), groupsByName(directory, names)])
  const known = [environment.ENTRA_USERS_GROUP_ID, environment.ENTRA_ADMIN_GROUP_ID]
  const foreign = [
    ...apps.filter((app) => !isTagged(app, names)).map((app) => ({ ...app, kind: 'application' as const })),
    // Groups have no tags; ours say in their description whose they are.
    ...groups
      .filter(({ id, description }) => !known.includes(id) && !description?.includes(names.token))
      .map((group) => ({ ...group, kind: 'group' as const })),
  ]
  if (foreign.length === 0) return undefined
  throw new Problem({
    what: `Somebody else holds our unique names:\n${listed(foreign)}`,
    why: 'The deployment would take these objects over and overwrite them.',
    fix: `Delete them, or add ${names.tags.join(' and ')} to their tags (groups: ${names.token} to the description) if they are yours; or: azd env new <another name>`,
  })
}

export class Twins extends Problem {
  readonly items: readonly Belonging[]

  constructor(items: readonly Belonging[], name: string) {
    super({
      what: `The recycle bin holds objects of this environment:\n${listed(items)}`,
      why: 'Their unique names stay taken for 30 days: the deployment would fail with "Another object with the same value for property uniqueName already exists".',
      fix: `npm run recycle-bin -- restore --environment ${name}    (keeps their ids), or: npm run recycle-bin -- purge --environment ${name}`,
    })
    this.items = items
  }
}

/** Whoever may not look deploys all the same: most environments have nothing in the bin. */
export const checkTwins: ObjectCheck = async ({ directory, environment }, names) => {
  // A service principal has no unique name: alone it blocks nothing.
  const { items, unseen } = await deleted(directory, names)
  if (items.some(({ uniqueName }) => uniqueName)) throw new Twins(items, environment.AZURE_ENV_NAME)
  return unseen.length > 0 ? binClosed(unseen) : undefined
}

export const checkUrls: ObjectCheck = async ({ directory, environment }, { api, dev }) => {
  const { LOCAL_DEVELOPMENT, LOCAL_SERVER_URL, EXTRA_SERVER_URLS } = environment
  const check = async (url: string) => {
    const path = `/applications?$filter=identifierUris/any(u:u eq ${quoted(url)})&${select(Application)}`
    const holders = await directory.list(path, Application)
    const other = holders.find(({ uniqueName }) => uniqueName !== api && uniqueName !== dev)
    if (!other) return
    throw new Problem({
      what: `${url} is an identifier URI of ${titled({ ...other, kind: 'application' })}.`,
      why: 'One tenant accepts a URL for one app only; another environment of this template may have it.',
      fix:
        url === LOCAL_SERVER_URL
          ? 'azd env set LOCAL_SERVER_URL http://localhost:8090/mcp    (or: azd env set LOCAL_DEVELOPMENT false)'
          : `azd env set EXTRA_SERVER_URLS <without ${url}>, or take it away from that app`,
    })
  }
  await Promise.all([...(LOCAL_DEVELOPMENT ? [LOCAL_SERVER_URL] : []), ...EXTRA_SERVER_URLS].map(check))
  return undefined
}

/** What a tool set that is off takes with it is disabled by the hook, once everything else is right. */
export const checkRemovals: ObjectCheck = async ({ directory, environment }, names) => {
  const apps = await appsByName(directory, names)
  const ours = apps.filter(({ uniqueName }) => uniqueName !== names.client)
  const { entitlements } = switchedOff(environment.TOOL_SETS)
  const permissions = loadPermissions(environment.TOOL_SETS)
  const lost = ours.flatMap((app) => removals(app, permissions, entitlements))
  const leaving = [...new Set(ours.flatMap((app) => enabledIn(app, new Set(entitlements))))]
  if (lost.length === 0)
    return leaving.length > 0 ? `${leaving.join(', ')} of tool sets that are off: disabled next` : undefined
  throw new Problem({
    what: [...new Set(lost)].join(' '),
    why: 'Entra refuses this while the permission is enabled, because clients may hold tokens for it.',
    fix: 'Put it back into infra/permissions.json with "isEnabled": false, azd provision, then remove it and azd provision again.',
  })
}

export const checkDeployed: ObjectCheck = async ({ directory, environment }, names) => {
  if (!environment.ENTRA_CLIENT_ID) return 'first deployment'
  const apps = await appsByName(directory, names)
  const expected = [names.api, names.client, ...(environment.LOCAL_DEVELOPMENT ? [names.dev] : [])]
  const missing = expected.filter((name) => !apps.some(({ uniqueName }) => uniqueName === name))
  const isNew = missing.length === 1 && missing[0] === names.dev && !environment.ENTRA_DEV_CLIENT_ID
  if (missing.length === 0 || isNew) return undefined
  throw new Problem({
    what: `Deployed before and gone from the directory: ${missing.join(', ')}.`,
    why: 'azd skips a template that has not changed, so that nothing would bring them back.',
    fix: 'azd env set ENTRA_CLIENT_ID "" && azd provision --no-state    (restore deleted ones first: npm run recycle-bin -- restore)',
  })
}
