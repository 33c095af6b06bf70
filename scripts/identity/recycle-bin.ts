/** This environment's deleted objects: lists, restores or purges them. Their unique names stay taken for 30 days. */
import { Problem } from '../cli/problem.ts'
import { type Context, runScript } from '../cli/script.ts'
import { isForbidden } from '../graph/directory-error.ts'
import { Deleted } from '../graph/graph-objects.ts'
import { type Belonging, deleted, type Kind, listed, titled } from './belongings.ts'
import { namesOf } from './names.ts'

const APPLICATION_ROLES =
  'Application Administrator, Cloud Application Administrator or Hybrid Identity Administrator'
const GROUP_ROLES = 'Groups Administrator or User Administrator'
const isGroup = (kind: Kind) => kind === 'group'

/** The roles that open these parts of the bin; a pipeline has application permissions instead. */
function binRoles(kinds: readonly Kind[]): string {
  const apps = kinds.some((kind) => !isGroup(kind)) && `apps: ${APPLICATION_ROLES}`
  const groups = kinds.some(isGroup) && `groups: ${GROUP_ROLES}`
  return [apps, groups].filter(Boolean).join('; ')
}

/** Why it cannot be told what lies in the bin, and who could tell. */
export const binClosed = (unseen: readonly Kind[]): string =>
  `cannot be told, because deleted objects are shown to some roles only (${binRoles(unseen)})`

/** For who has asked for the recycle bin and may not see it. */
const mayNotLook = (unseen: readonly Kind[], name: string) =>
  new Problem({
    what: `You may not look into the recycle bin: ${unseen.some(isGroup) ? (unseen.length > 1 ? 'apps and groups' : 'groups') : 'apps'}.`,
    why: `Microsoft Graph shows deleted objects to these roles only (${binRoles(unseen)}); owning them does not count.`,
    fix: `npm run recycle-bin -- list --environment ${name}    (after azd auth login as somebody with these roles)`,
  })

/** What lies in the bin and could not be purged; each with a command that needs neither azd nor this repository. */
const leftInBin = (left: readonly Belonging[], name: string): string =>
  [
    `! Left in the recycle bin, which you may not empty:\n${listed(left)}`,
    'Its unique names stay taken for 30 days, then it goes by itself; until then this environment cannot be deployed again.',
    `Who can purge it (${binRoles(left.map(({ kind }) => kind))}):`,
    `    npm run recycle-bin -- purge --environment ${name}`,
    'or, without this azd environment:',
    ...left.map(
      ({ id }) =>
        `    az rest --method delete --url https://graph.microsoft.com/v1.0/directory/deletedItems/${id}`,
    ),
  ].join('\n')

/** How a down has ended. What stays in the bin goes by itself one day: it is said, and no failure. */
export function endOf(left: readonly Belonging[], unseen: readonly Kind[], name: string): string[] {
  if (left.length > 0) return [leftInBin(left, name)]
  if (unseen.length === 0) return ['✓ Microsoft Entra ID holds nothing of this environment any more']
  return [
    '✓ Nothing of this environment is alive in Microsoft Entra ID',
    `! Whether something of it lies in the recycle bin ${binClosed(unseen)}`,
  ]
}

export const itemOf = ({ id }: { id: string }) => `/directory/deletedItems/${id}`

/** Brings them back with their ids: an app before its service principal. */
export async function restore({ directory, print }: Context, items: readonly Belonging[]): Promise<void> {
  const order = { application: 0, servicePrincipal: 1, group: 2 }
  for (const item of items.toSorted((a, b) => order[a.kind] - order[b.kind])) {
    if (!(await directory.get(`${itemOf(item)}?$select=id,displayName`, Deleted))) continue
    await directory.create(`${itemOf(item)}/restore`, {}, Deleted)
    print(`✓ restored ${titled(item)}`)
  }
}

/** Removes one after the other; what was gone already is no failure. Returns what whoever asks may not remove. */
async function removeAll(
  { directory, print }: Context,
  objects: readonly Belonging[],
  pathOf: (object: Belonging) => string,
  done: string,
): Promise<Belonging[]> {
  const left: Belonging[] = []
  for (const object of objects) {
    try {
      if (await directory.remove(pathOf(object))) print(`✓ ${done} ${titled(object)}`)
    } catch (error) {
      if (!isForbidden(error)) throw error
      left.push(object)
    }
  }
  return left
}

/** Into the recycle bin. Returns what the caller may not delete. */
export const erase = (context: Context, objects: readonly Belonging[]) =>
  removeAll(context, objects, ({ kind, id }) => `/${kind}s/${id}`, 'deleted')

/** For good. Returns what the caller may not purge. */
export const purge = (context: Context, items: readonly Belonging[]) =>
  removeAll(context, items, itemOf, 'purged')

const NOT_PURGED = 'you may delete it but not purge it from the recycle bin'
export const mayNotPurge = (left: readonly Belonging[], name: string) =>
  new Problem({
    what: `Left in the recycle bin:\n${left.map((item) => `    ${titled(item)}: ${NOT_PURGED}`).join('\n')}`,
    why: 'Its unique name stays taken for 30 days, so that the next azd provision of this environment fails.',
    fix: `npm run recycle-bin -- purge --environment ${name}    (${binRoles(left.map(({ kind }) => kind))})`,
  })

export async function recycleBin(context: Context, action: string): Promise<void> {
  const { AZURE_ENV_NAME: name } = context.environment
  const { items, unseen } = await deleted(context.directory, namesOf(context.environment))
  if (!['list', 'restore', 'purge'].includes(action))
    throw new Error(`Unknown: ${action}. Known: list, restore, purge`)
  if (action === 'list') for (const item of items) context.print(titled(item))
  else if (action === 'restore') await restore(context, items)
  else {
    const left = await purge(context, items)
    if (left.length > 0) throw mayNotPurge(left, name)
  }
  // What is seen is done first; an answer about a part must not look like one about the whole.
  if (unseen.length > 0) throw mayNotLook(unseen, name)
  if (items.length === 0) context.print('The recycle bin holds nothing of this environment.')
}

await runScript(
  import.meta,
  {
    help: `
npm run recycle-bin -- list|restore|purge
Shows, brings back or removes for good the deleted apps, service principals and groups of this azd environment.
Takes a directory role, also for who owns them: Application Administrator (apps), Groups Administrator (groups).`,
    takesWord: true,
  },
  (context, { word = 'list' }) => recycleBin(context, word),
)
