/** What we ask of the Azure Developer CLI. It is run in the project's folder, wherever the caller stands. */
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { $, usePowerShell } from 'zx/core'
import { Problem } from './problem.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const Values = z.record(z.string(), z.coerce.string())
const Version = z.object({ azd: z.object({ version: z.string() }) })

const INSTALL = {
  azd: 'https://aka.ms/azd    (without Azure: npm start)',
  az: 'https://aka.ms/azure-cli',
  gh: 'https://cli.github.com',
}

/** Where a program that is not here comes from, instead of what the shell says about it. */
export function notInstalled(program: string, why: string): Problem | undefined {
  const known = Object.entries(INSTALL).find(([name]) => name === program)
  return known && new Problem({ what: `${program} is not installed.`, why, fix: known[1] })
}

/** Whether the shell has found no such program: bash ends with 127, PowerShell says so only. */
export const isMissing = (code: number | null, said: string): boolean =>
  code === 127 || (process.platform === 'win32' && /CommandNotFoundException|is not recognized as/.test(said))

async function azd(args: string[], cwd = ROOT): Promise<string> {
  // Windows has no bash of its own; PowerShell is always there.
  if (process.platform === 'win32') usePowerShell()
  const { exitCode, stdout, stderr } = await $({ cwd, quiet: true, nothrow: true })`azd ${args}`
  if (exitCode === 0) return stdout
  const why = 'The values of the deployment are in the azd environment.'
  throw (
    (isMissing(exitCode, stderr) && notInstalled('azd', why)) ||
    new Problem({
      what: `azd ${args.join(' ')} failed: ${stderr.trim() || stdout.trim() || `exit code ${exitCode}`}`,
      why,
      fix: 'azd env list    (then: azd env select <name>)',
    })
  )
}

/**
 * The variables of the named azd environment, or of the selected one; azd would ask which one, and wait. `folder`: of
 * another project than this one.
 */
export async function azdValues(name?: string, folder?: string): Promise<Record<string, string>> {
  const choice = name ? ['--environment', name] : []
  return Values.parse(
    JSON.parse(await azd(['env', 'get-values', '--output', 'json', '--no-prompt', ...choice], folder)),
  )
}

/** Like `1.23.15`. */
export async function azdVersion(): Promise<string> {
  return Version.parse(JSON.parse(await azd(['version', '--output', 'json']))).azd.version
}
