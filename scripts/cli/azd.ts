/** What we ask of the Azure Developer CLI. */
import { z } from 'zod'
import { Problem } from './problem.ts'
import { attempt } from './program.ts'

const Values = z.record(z.string(), z.coerce.string())
const Version = z.object({ azd: z.object({ version: z.string() }) })

async function azd(args: string[], cwd?: string): Promise<unknown> {
  const why = 'The values of the deployment are in the azd environment.'
  const { code, stdout, stderr } = await attempt('azd', args, { cwd, why })
  if (code === 0) return JSON.parse(stdout)
  throw new Problem({
    what: `azd ${args.join(' ')} failed: ${stderr.trim() || stdout.trim() || `exit code ${code}`}`,
    why,
    fix: 'azd env list    (then: azd env select <name>)',
  })
}

/**
 * The variables of the named azd environment, or of the selected one; azd would ask which one, and wait. `folder`: of
 * another project than this one.
 */
export async function azdValues(name?: string, folder?: string): Promise<Record<string, string>> {
  const choice = name ? ['--environment', name] : []
  return Values.parse(await azd(['env', 'get-values', '--output', 'json', '--no-prompt', ...choice], folder))
}

/** Like `1.23.15`. */
export const azdVersion = async (): Promise<string> =>
  Version.parse(await azd(['version', '--output', 'json'])).azd.version
