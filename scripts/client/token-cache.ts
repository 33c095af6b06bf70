/** Where the tokens of a person are kept: one file for each server, in the user's own folder. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ICachePlugin } from '@azure/msal-node'
import { z } from 'zod'
import { writeSecret } from '../cli/secret-file.ts'

export const cacheFile = (folder: string, url: string) => join(folder, `${encodeURIComponent(url)}.json`)

/** What MSAL writes: kinds of entries, their keys, their fields. */
const Kept = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())))

/**
 * Reads and writes `file` for MSAL, whole or not at all and for nobody but the user (mode 0600). A file that cannot be
 * read means that nobody has signed in; one that cannot be written costs a sign-in next time. Both are told.
 */
export function tokenCache(file: string, print: (line: string) => void): ICachePlugin {
  return {
    async beforeCacheAccess({ tokenCache }) {
      const kept = await read(file)
      if (kept === 'unreadable') print(`${file} cannot be read: as if nobody had signed in.`)
      else if (kept) tokenCache.deserialize(kept)
    },
    async afterCacheAccess({ tokenCache, cacheHasChanged }) {
      if (!cacheHasChanged) return
      await keep(file, tokenCache.serialize()).catch((error: NodeJS.ErrnoException) =>
        print(`${file} cannot be written (${error.code}): the next call signs in again.`),
      )
    },
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    Kept.parse(JSON.parse(text))
    return text
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : 'unreadable'
  }
}

async function keep(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeSecret(file, text)
}
