/** Which Bicep compiler: nothing outside this file knows where it is. */
import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/** Where to look; the defaults are this machine's, tests bring their own. */
export interface Surroundings {
  env: NodeJS.ProcessEnv
  home: string
  platform: NodeJS.Platform
}

export interface Compiler {
  path: string
  /** What named it, for messages. */
  from: string
}

const INSTALL = `Install it with one of
  azd provision --preview    (azd brings its own copy; needs an azd environment)
  az bicep install           (the Azure CLI brings its own copy)
  winget install -e --id Microsoft.Bicep   |   brew install azure/bicep/bicep
or name one: BICEP=/path/to/bicep`

const thisMachine = (): Surroundings => ({ env: process.env, home: homedir(), platform: process.platform })

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** `BICEP`, then PATH, `AZD_BICEP_TOOL_PATH`, azd's own copy, the Azure CLI's own copy. */
export const findBicep = (surroundings = thisMachine()): Compiler | undefined => {
  const { env, home, platform } = surroundings
  const file = platform === 'win32' ? 'bicep.exe' : 'bicep'
  const folders = (env.PATH ?? env.Path ?? '').split(platform === 'win32' ? ';' : delimiter).filter(Boolean)
  // @env BICEP Path of the Bicep compiler. Without it, the scripts look on PATH, then where azd and the Azure CLI keep theirs.
  // @env AZD_BICEP_TOOL_PATH Path of the Bicep compiler that azd is set to use.
  // @env AZD_CONFIG_DIR, AZURE_CONFIG_DIR Folders of azd (`~/.azd`) and of the Azure CLI (`~/.azure`); the compiler is in `bin`.
  const places: [from: string, path: string | undefined][] = [
    ['BICEP', env.BICEP],
    ...folders.map((folder): [string, string] => ['PATH', join(folder, file)]),
    ['AZD_BICEP_TOOL_PATH', env.AZD_BICEP_TOOL_PATH],
    ['azd', join(env.AZD_CONFIG_DIR || join(home, '.azd'), 'bin', file)],
    ['the Azure CLI', join(env.AZURE_CONFIG_DIR || join(home, '.azure'), 'bin', file)],
  ]
  for (const [from, path] of places) {
    if (!path) continue
    if (isProgram(resolve(path))) return { from, path: resolve(path) }
    // Somebody meant this one: another one found further on would be a surprise.
    if (path === env[from])
      throw new Error(`${from}=${path} is not a program. Correct ${from}, or unset it to search elsewhere.`)
  }
  return undefined
}

export const requireBicep = (surroundings = thisMachine()): Compiler => {
  const compiler = findBicep(surroundings)
  if (!compiler) throw new Error(`No Bicep compiler found. ${INSTALL}`)
  return compiler
}

/** What any program needs. */
const NEEDED = [
  ...['PATH', 'Path', 'HOME', 'USERPROFILE', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'],
  // @env HTTPS_PROXY, NO_PROXY Passed on to the Bicep compiler, which downloads the Graph extension.
  ...['HTTPS_PROXY', 'NO_PROXY'],
]

/**
 * Names that steer a program, the loader or what it trusts. .NET reads its own under three prefixes; the compiler reads
 * those of Azure's sign-in. On Windows names have no case.
 */
const STEERING = new RegExp(
  [
    '^(LD|DYLD|DOTNET|COMPlus|CORECLR|COR|BICEP|NODE|MSBUILD|SSL|XDG|BASH|OPENSSL|CURL|GLIBC|MALLOC|ICU)(_|$)',
    '^(PATH|PATHEXT|HOME|USERPROFILE|SYSTEMROOT|WINDIR|COMSPEC|TEMP|TMP|TMPDIR|SHELL|IFS|PYTHON.*|.*PROXY)$',
    '^(APPDATA|LOCALAPPDATA|PROGRAMDATA|PSMODULEPATH|HOMEDRIVE|HOMEPATH|GCONV_PATH|REQUESTS_CA_BUNDLE)$',
    '^(AZURE|AZD)_(CONFIG_DIR|AUTHORITY_HOST|(EXTENSION|BICEP|CORE|CLOUD|TRACING|HTTP)_.*)$',
  ].join('|'),
  'i',
)

/**
 * What the compiler is given: `variables`, for parameter files read environment variables, and none of the caller's may
 * leak into them. Throws an error where one of them would change how the compiler runs: a pull request names them, and may
 * bring their values too. What the compiler needs itself counts more.
 */
export function compilerEnvironment(variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const steering = Object.keys(variables).filter((name) => STEERING.test(name))
  if (steering.length > 0)
    throw new Error(`A parameter file may not read ${steering.join(', ')}: it would change how programs run.`)
  return {
    ...variables,
    ...Object.fromEntries(NEEDED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1',
  }
}

/** Pipelines set CI; a person may switch it off. */
export const isPipeline = (ci: string | undefined): boolean =>
  !['', '0', 'false'].includes(ci?.trim().toLowerCase() ?? '')

// Azure DevOps sets no CI: https://learn.microsoft.com/azure/devops/pipelines/build/variables
export const isInPipeline = ({ CI, GITHUB_ACTIONS, TF_BUILD } = process.env): boolean =>
  [CI, GITHUB_ACTIONS, TF_BUILD].some(isPipeline)
