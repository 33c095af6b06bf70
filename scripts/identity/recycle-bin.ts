/** This environment's deleted objects: lists, restores or purges them. Their unique names stay taken for 30 days. */

import { Problem } from '../cli/problem.ts'
import { type Context, runScript } from '../cli/script.ts'
import { DirectoryError } from '../graph/directory-error.ts'
import { Deleted } from '../graph/graph-objects.ts'
import { type Belonging, deleted, titled } from './belongings.ts'
import { binRoles, mayNotLook } from './bin-access.ts'
import { namesOf } from './names.ts'

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

/** Removes for good; what was gone already is no failure. Returns what could not be removed, with the reason. */
export async function purge(
  { directory, print }: Context,
  items: readonly Belonging[],
): Promise<{ item: Belonging; reason: string }[]> {
  const left: { item: Belonging; reason: string }[] = []
  for (const item of items) {
    try {
      if (await directory.remove(itemOf(item))) print(`✓ purged ${titled(item)}`)
    } catch (error) {
      if (!(error instanceof DirectoryError && error.isForbidden)) throw error
      left.push({ item, reason: 'you may delete it but not purge it from the recycle bin' })
    }
  }
  return left
}

export const mayNotPurge = (left: readonly { item: Belonging; reason: string }[], name: string) =>
  new Problem({
    what: `Left in the recycle bin:\n${left.map(({ item, reason }) => `    ${titled(item)}: ${reason}`).join('\n')}`,
    why: 'Its unique name stays taken for 30 days, so that the next azd provision of this environment fails.',
    fix: `npm run recycle-bin -- purge --environment ${name}    (${binRoles(left.map(({ item }) => item.kind))})`,
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
    words: ['list|restore|purge'],
  },
  (context, { words: [action = 'list'] }) => recycleBin(context, action),
)
