import { type Declaration, loadDeclaration, type ToolPermission } from './declaration.ts'

export type { ToolPermission } from './declaration.ts'

/** What is on where nobody says anything. */
export const USUAL_TOOL_SETS = 'expenses,profile'

/** A downstream API with what the selected tool sets ask of it. */
export type DownstreamApi = Declaration['downstreamApis'][number] & {
  permissions: { value: string; id: string; reason: string }[]
}

/** What the selected tool sets declare together. */
export type Permissions = Omit<Declaration, 'toolSets' | 'downstreamApis'> & {
  /** Names, in the order of the declaration. */
  toolSets: string[]
  appRoles: Declaration['toolSets'][number]['appRoles']
  /** Those that a selected tool set asks a permission of. */
  downstreamApis: DownstreamApi[]
  tools: ToolPermission[]
}

/** TOOL_SETS names no tool set, or one that is not declared. */
export class ToolSetsWrong extends Error {
  override name = 'ToolSetsWrong'
}

/** TOOL_SETS for all of them. */
export const everyToolSet = ({ toolSets }: Declaration): string => toolSets.map(({ name }) => name).join(',')

/**
 * `infra/permissions.json`, as far as `toolSets` selects it: names, separated by commas; the usual ones when left out
 * or empty. Throws ToolSetsWrong, and what loadDeclaration throws.
 */
export const loadPermissions = (toolSets?: string, file?: URL): Permissions =>
  selectPermissions(loadDeclaration(file), toolSets)

/** The same from a declaration that has been read. A set that is not selected contributes nothing. */
export function selectPermissions(declaration: Declaration, toolSets?: string): Permissions {
  const names = selectedNames(declaration, toolSets || USUAL_TOOL_SETS)
  const sets = declaration.toolSets.filter(({ name }) => names.has(name))
  const { toolSets: _, downstreamApis, ...always } = declaration
  const appRoles = sets.flatMap(({ appRoles: own }) => own)
  const asked = sets.flatMap(({ downstreamPermissions }) => downstreamPermissions)
  return {
    ...always,
    toolSets: sets.map(({ name }) => name),
    scopes: [...always.scopes, ...sets.flatMap(({ scopes }) => scopes)],
    appRoles,
    services: servicesWith(new Set(appRoles.map(({ value }) => value)), always.services),
    downstreamApis: downstreamApis
      .map((api) => ({ ...api, permissions: merged(asked.filter((one) => one.api === api.name)) }))
      .filter(({ permissions }) => permissions.length > 0),
    tools: sets.flatMap(({ tools }) => tools),
  }
}

/** Without the roles of sets that are off, and without services that are left with none. */
const servicesWith = (roles: ReadonlySet<string>, services: Declaration['services']) =>
  services
    .map((service) => ({ ...service, roles: service.roles.filter((role) => roles.has(role)) }))
    .filter((service) => service.roles.length > 0)

function selectedNames({ toolSets }: Declaration, text: string): ReadonlySet<string> {
  const names = text.split(',').map((name) => name.trim())
  const known = toolSets.map(({ name }) => name)
  if (names.every((name) => known.includes(name))) return new Set(names)
  throw new ToolSetsWrong(
    `TOOL_SETS is wrong: it should be names of tool sets, separated by commas: ${known.join(', ')}.`,
  )
}

/** A permission that two sets ask for is one, with the reasons of both. */
function merged(asked: Declaration['toolSets'][number]['downstreamPermissions']) {
  // No Map.groupBy: azd runs the hooks on the Node of the machine, which may be 20.
  return [...new Set(asked.map(({ id }) => id))].map((id) => {
    const same = asked.filter((one) => one.id === id)
    return {
      value: same[0]?.value ?? '',
      id,
      reason: [...new Set(same.map(({ reason }) => reason))].join(' '),
    }
  })
}
