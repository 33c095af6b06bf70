/** Before `azd down`: shows which identity objects will go, and remembers them for postdown. */

import { type Context, runScript } from '../cli/script.ts'
import { living, titled, unique } from '../identity/belongings.ts'
import { namesOf } from '../identity/names.ts'
import { doubt, isProven, recall, remember } from '../identity/ownership.ts'

export async function predown(context: Context): Promise<void> {
  const { directory, environment, operator, print } = context
  if (environment.KEEP_IDENTITY)
    return print('KEEP_IDENTITY=true: every app, service principal and group stays.')
  const names = namesOf(environment)
  const found = await living(directory, names)
  const objects = found.filter((object) => isProven(object, environment))
  const { tid } = await operator.claims()
  // An interrupted down may have deleted some: they are still to be purged.
  const all = unique([...objects, ...(await recall(context)).objects])
  if (all.length > 0) await remember(context, { tenantId: tid, objects: all })
  const foreign = found.filter((object) => !objects.includes(object))
  for (const line of doubt(foreign, names)) print(line)
  if (objects.length === 0) return print('No app, service principal or group of this environment is left.')
  print("After Azure's resources these go from Microsoft Entra ID, for good:")
  for (const object of objects) print(`  - ${titled(object)}`)
  print('To keep them: azd env set KEEP_IDENTITY true')
}

await runScript(
  import.meta,
  {
    help: `
npx node scripts/hooks/predown.ts
Shows which apps, service principals and groups will be deleted after Azure's resources. Deletes nothing.`,
  },
  predown,
)
