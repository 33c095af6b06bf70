/** Which files a template may be made of: those of its repository, for what it loads stands in the report. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
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

/** Between the name of a function and its bracket. */
const GAP = String.raw`(?:\s|/\*[\s\S]*?\*/|//[^\n]*\n)*`
const LITERAL = String.raw`\s*'([^'\\$]+)'\s*`
const CONTENT = new RegExp(String.raw`\bload\w+${GAP}\((?:${LITERAL}[,)])?`, 'g')
const LISTING = new RegExp(
  String.raw`\bloadDirectoryFileInfo${GAP}\((?:${LITERAL}(?:,\s*'[^'\\$/]+'\s*)?\))?`,
  'g',
)

/** What `pattern` finds in a file: a path, or undefined where it is put together and nobody can tell. */
const pathsIn = (file: string, pattern: RegExp): (string | undefined)[] =>
  [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, path]) =>
    path === undefined ? undefined : resolve(dirname(file), path),
  )

/** The compiler looks for its own configuration further up; a template that reads it, or may, makes it one of its files. */
function isConfiguration(file: string, sources: readonly string[]): boolean {
  if (basename(file) !== 'bicepconfig.json') return false
  return (
    sources.some((one) => upwards(real(dirname(one))).includes(dirname(file))) &&
    !sources.flatMap((one) => pathsIn(one, CONTENT)).some((path) => path === undefined || real(path) === file)
  )
}

/**
 * Throws an error that names a file outside of the repository, links followed. A pull request must not be able to print
 * /proc/self/environ, or what else the job may read. Modules of a registry lie in the compiler's own store.
 * Which folders a template lists is not in what the compiler says of its `files`, so it is read from them.
 */
export function refuseForeignFiles(files: readonly string[], infra: string): void {
  const folder = real(infra)
  const allowed = [rootOf(folder), real(join(homedir(), '.bicep'))]
  const isOurs = (file: string) =>
    allowed.some((one) => isWithin(real(file), one) && !isOfGit(relative(one, real(file))))
  // Whatever it is called, a module is one that is not JSON. One that is missing the compiler names itself.
  const sources = files.filter((file) => existsSync(file) && !/\.jsonc?$/i.test(file) && isOurs(file))
  const foreign = files.filter((file) => !isOurs(file) && !isConfiguration(real(file), sources))
  if (foreign.length > 0)
    throw new Error(
      `${foreign.join(', ')}: outside of the repository (${allowed[0]}), so a template may not load it.`,
    )
  const listed = sources.flatMap((file) => pathsIn(file, LISTING).map((path) => ({ file, path })))
  const strange = listed.filter(({ path }) => path === undefined || !isOurs(path)).map(({ file }) => file)
  if (strange.length > 0)
    throw new Error(
      `${strange.join(', ')}: loadDirectoryFileInfo may list a folder that is outside of the repository. Its arguments have to be plain texts.`,
    )
}
