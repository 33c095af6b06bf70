/** What predown has seen, for postdown: by then azd has forgotten its outputs, and lists of the directory may lag. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Context } from '../cli/script.ts'
import { type Belonging, KINDS } from './belongings.ts'

const Remembered = z.object({
  tenantId: z.string().optional(),
  objects: z.array(
    z.object({
      kind: z.enum(KINDS),
      id: z.string(),
      displayName: z.string(),
      appId: z.string().optional(),
      uniqueName: z.string().optional(),
      // Only what was proven to be ours is remembered.
      isMarked: z.boolean().default(true),
    }),
  ),
})
export type Remembered = Readonly<{ tenantId?: string | undefined; objects: readonly Belonging[] }>

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
