/** After `azd down`: this environment's apps, service principals and groups go too, and leave the recycle bin. */
import { join } from 'node:path'
import { dropBlock } from '../cli/env-file.ts'
import { Problem } from '../cli/problem.ts'
import { type Context, runScript } from '../cli/script.ts'
import { isForbidden } from '../graph/directory-error.ts'
import { Deleted } from '../graph/graph-objects.ts'
import { type Belonging, deleted, listed, living, unique } from '../identity/belongings.ts'
import { type Names, namesOf } from '../identity/names.ts'
import { doubt, forget, isProven, recall, remember } from '../identity/ownership.ts'
import { endOf, erase, itemOf, purge } from '../identity/recycle-bin.ts'

/** What may never arrive: security groups that a tenant deletes for good at once, and what an earlier run has purged. */
const SHORT_PATIENCE = 15

/** Finding nothing in the wrong tenant would look like success. */
async function requireTenant({ operator }: Context, tenantId: string | undefined): Promise<void> {
  const { tid } = await operator.claims()
  if (!tenantId || !tid || tid === tenantId) return
  throw new Problem({
    what: `azd is signed in to tenant ${tid}, but the objects are in tenant ${tenantId}.`,
    why: 'Nothing would be found and everything would stay.',
    fix: `azd auth login --tenant-id ${tenantId} && azd hooks run postdown`,
  })
}

/** What has just been deleted reaches the recycle bin with a delay. */
async function arrived(
  { directory, environment }: Context,
  objects: readonly Belonging[],
  alive: readonly Belonging[],
): Promise<Belonging[]> {
  const isIn = async (object: Belonging) => {
    try {
      return (await directory.get(`${itemOf(object)}?$select=id,displayName`, Deleted)) !== undefined
    } catch (error) {
      // A refusal is an answer too: it is there, and only an administrator sees it.
      if (isForbidden(error)) return true
      throw error
    }
  }
  const patience = environment.DIRECTORY_PATIENCE_SECONDS
  const waited = await Promise.all(
    objects.map((object) => {
      const isSure = object.kind !== 'group' && alive.includes(object)
      const seconds = isSure ? patience : Math.min(SHORT_PATIENCE, patience)
      return directory.until(() => isIn(object), Boolean, seconds)
    }),
  )
  return objects.filter((_object, index) => waited[index])
}

function refuseRest(kept: readonly Belonging[]): void {
  if (kept.length === 0) return
  throw new Problem({
    what: `Left, because you may not delete it:\n${listed(kept)}`,
    why: 'Whoever deletes an app or a group must own it or be an administrator.',
    fix: 'azd hooks run postdown    (as an Application Administrator and Groups Administrator)',
  })
}

/** Throws while the directory still shows something beside what could not be purged. */
async function requireNothing({ directory }: Context, names: Names, left: readonly Belonging[]) {
  const shown = async () => {
    const all = [...(await living(directory, names)), ...(await deleted(directory, names)).items]
    return all.filter(({ id }) => !left.some((object) => object.id === id))
  }
  if (await directory.until(shown, (objects) => objects.length === 0)) return
  throw new Problem({
    what: `Still shown by the directory:\n${listed(await shown())}`,
    why: 'It lags, or somebody has restored an object meanwhile.',
    fix: 'azd hooks run postdown    (in some minutes)',
  })
}

export async function postdown(context: Context): Promise<void> {
  const { directory, environment, print, root } = context
  if (environment.KEEP_IDENTITY)
    return print('KEEP_IDENTITY=true: every app, service principal and group stays.')
  const names = namesOf(environment)
  const remembered = await recall(context)
  await requireTenant(context, remembered.tenantId)

  const isOurs = (object: Belonging) => isProven(object, environment, remembered.objects)
  const found = await living(directory, names)
  const alive = found.filter(isOurs)
  // Ids outlive a kill: what a lagging list does not show is still found by its id.
  const known = unique([...alive, ...remembered.objects])
  if (known.length > 0) await remember(context, { ...remembered, objects: known })
  const kept = await erase(context, alive)
  const gone = known.filter(({ id }) => !kept.some((object) => object.id === id))
  const { items, unseen } = await deleted(directory, names)
  const bin = unique([...(await arrived(context, gone, alive)), ...items.filter(isOurs)])
  const left = await purge(context, bin)
  const foreign = unique([...found, ...items]).filter((object) => !isOurs(object))
  refuseRest(kept)
  await requireNothing(context, names, [...left, ...foreign])
  if (await dropBlock(join(root, '.env'), environment.AZURE_ENV_NAME))
    print('✓ removed the dead secret from .env')
  // An administrator who repeats this here still finds them by their ids.
  if (left.length === 0) await forget(context)
  for (const line of doubt(foreign, names)) print(line)
  for (const line of endOf(left, unseen, environment.AZURE_ENV_NAME)) print(line)
}

await runScript(
  import.meta,
  {
    help: `
azd hooks run postdown
Deletes this environment's apps, service principals and groups (those with both azd-env tags; groups by their
description) and purges them from the recycle bin. What has only our unique name stays, and is said. Run by azd after azd down; a second run finishes what was interrupted.
KEEP_IDENTITY=true keeps everything.`,
  },
  postdown,
)
