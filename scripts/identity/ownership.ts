/**
 * Whose an object is, before it goes for good: azd down asks nobody where nothing is left in Azure, so that only what is
 * proven to be this environment's may go.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Environment } from '../cli/environment.ts'
import type { Context } from '../cli/script.ts'
import { Belonging, listed } from './belongings.ts'
import type { Names } from './names.ts'

const Remembered = z.object({
  tenantId: z.string().optional(),
  // Only what was proven to be ours is remembered.
  objects: z.array(Belonging.extend({ isMarked: z.boolean().default(true) })),
})
type Remembered = z.infer<typeof Remembered>

const fileOf = ({ root, environment }: Context) =>
  join(root, '.azure', environment.AZURE_ENV_NAME, 'identity-going-down.json')

export async function remember(context: Context, seen: Remembered): Promise<void> {
  const file = fileOf(context)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(seen, undefined, 2)}\n`)
}

export async function recall(context: Context): Promise<Remembered> {
  try {
    return Remembered.parse(JSON.parse(await readFile(fileOf(context), 'utf8')))
  } catch {
    // Not there, or cut off: the names are enough to find everything.
    return { objects: [] }
  }
}

export const forget = (context: Context) => rm(fileOf(context), { force: true })

/** By its marks, by what azd says of the deployment, or because it was proven before. */
export function isProven(
  object: Belonging,
  environment: Environment,
  remembered: readonly Belonging[] = [],
): boolean {
  const { ENTRA_CLIENT_ID, ENTRA_DEV_CLIENT_ID, ENTRA_PUBLIC_CLIENT_ID } = environment
  const { ENTRA_USERS_GROUP_ID, ENTRA_ADMIN_GROUP_ID } = environment
  const apps = [ENTRA_CLIENT_ID, ENTRA_DEV_CLIENT_ID, ENTRA_PUBLIC_CLIENT_ID]
  const deployed = [...apps, ENTRA_USERS_GROUP_ID, ENTRA_ADMIN_GROUP_ID]
  return (
    object.isMarked ||
    deployed.includes(object.appId ?? object.id) ||
    remembered.some(({ id }) => id === object.id)
  )
}

/** What has our unique name and nothing else of us. */
export const doubt = (objects: readonly Belonging[], names: Names): string[] =>
  objects.length === 0
    ? []
    : [
        `! Left, because only a unique name says that it is this environment's:\n${listed(objects)}\nIf it is, add ${names.tags.join(' and ')} to its tags (groups: ${names.token} to the description), then: azd hooks run postdown`,
      ]
