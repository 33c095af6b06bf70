/** The files of this project, without what is installed: azd installs into scripts/node_modules. */
import { readdirSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** For `cp`, which leaves out a folder with all that is in it. */
export const isOurs = (path: string): boolean => basename(path) !== 'node_modules'

/** The paths of all files in `rooms`, relative to the repository and with `/`. Git is not asked: a copy may have none. */
export const filesIn = (...rooms: string[]): string[] =>
  rooms
    .flatMap((room) => readdirSync(join(root, room), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)).replaceAll('\\', '/'))
    .filter((path) => path.split('/').every(isOurs))
    .toSorted()
