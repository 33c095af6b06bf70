/** Which files a template may be made of: those of its repository, for what it loads stands in the report. */
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'

const real = (file: string): string => {
  try {
    return realpathSync.native(file)
  } catch {
    return resolve(file)
  }
}

const isWithin = (file: string, folder: string) => {
  const way = relative(folder, file)
  return way === '' || !(way.startsWith('..') || isAbsolute(way))
}

const upwards = (folder: string): string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...upwards(dirname(folder))]

/** The repository that `infra` is in; without one the folder of the process, else what holds `infra`. */
function rootOf(infra: string): string {
  const repository = upwards(infra).find((folder) => existsSync(join(folder, '.git')))
  if (repository) return repository
  const here = real(process.cwd())
  const around = isWithin(infra, here) ? here : dirname(infra)
  return dirname(around) === around ? infra : around
}

/** A checkout may keep a token in `.git/config`. */
const isOfGit = (file: string) => file.split(/[\\/]/).includes('.git')

/**
 * Throws an error that names a file outside of the repository, links followed. A pull request must not be able to print
 * /proc/self/environ, or what else the job may read. Modules of a registry lie in the compiler's own store.
 */
export function refuseForeignFiles(files: readonly string[], infra: string): void {
  const folder = real(infra)
  const allowed = [rootOf(folder), real(join(homedir(), '.bicep'))]
  // The compiler looks for its own configuration further up.
  const foreign = files.filter((file) => {
    const target = real(file)
    return (
      basename(target) !== 'bicepconfig.json' &&
      !allowed.some((one) => isWithin(target, one) && !isOfGit(relative(one, target)))
    )
  })
  if (foreign.length === 0) return
  throw new Error(
    `${foreign.join(', ')}: outside of the repository (${allowed[0]}), so a template may not load it.`,
  )
}
