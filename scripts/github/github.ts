/** The REST API of GitHub, through its own command line: it knows how whoever runs this is signed in. */
import type { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import { attempt, type Result } from './command.ts'

const FIX = 'gh auth login    (in a workflow: GH_TOKEN and the permissions of the job)'

const failure = (args: string[], { stdout, stderr }: Result) =>
  new Problem({
    what: `gh ${args.join(' ')} failed: ${stderr.trim() || stdout.trim()}`,
    why: 'What GitHub knows decides what happens next.',
    fix: FIX,
  })

/** undefined: GitHub knows no such thing. */
export async function find<T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T> | undefined> {
  const result = await attempt('gh', ['api', path])
  if (result.code === 0) return shape.parse(JSON.parse(result.stdout))
  if (/HTTP 404|Not Found/.test(result.stderr)) return undefined
  throw failure(['api', path], result)
}

export async function read<T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T>> {
  const found = await find(path, shape)
  if (found !== undefined) return found
  throw new Problem({
    what: `GitHub has no ${path}, or does not show it.`,
    why: 'It is needed here.',
    fix: FIX,
  })
}

/** Every page of a list, in the order of GitHub. */
export async function list<T extends z.ZodType>(path: string, item: T): Promise<z.infer<T>[]> {
  const args = ['api', '--paginate', '--slurp', path]
  const result = await attempt('gh', args)
  if (result.code !== 0) throw failure(args, result)
  return item.array().array().parse(JSON.parse(result.stdout)).flat()
}

export async function write(method: 'POST' | 'PUT' | 'PATCH', path: string, body: unknown): Promise<void> {
  const args = ['api', '--method', method, path, '--input', '-']
  const result = await attempt('gh', args, { input: body })
  if (result.code !== 0) throw failure(args, result)
}
