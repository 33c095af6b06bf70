/** The compiler's own commands, as somebody types them. */
import { execFile } from 'node:child_process'
import { compilerEnvironment, requireBicep } from '../../scripts/bicep/compiler.ts'

export interface Run {
  code: number
  stdout: string
  stderr: string
}

export const runBicep = (args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<Run> =>
  new Promise((done, fail) => {
    const env = compilerEnvironment(options.env)
    execFile(
      requireBicep().path,
      args,
      { cwd: options.cwd, env, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') return fail(error)
        done({ code: Number(error?.code ?? 0), stdout, stderr })
      },
    )
  })
