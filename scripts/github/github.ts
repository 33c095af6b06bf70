/** The REST API of GitHub, through its own command line: it knows how whoever runs this is signed in. */
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import { attempt } from '../cli/program.ts'
import { failed, run } from './command.ts'

const FIX = 'gh auth login    (in a workflow: GH_TOKEN and the permissions of the job)'

/** undefined: GitHub knows no such thing. */
export async function find<T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T> | undefined> {
  const args = ['api', path]
  const { code, stdout, stderr } = await attempt('gh', args)
  if (code === 0) return shape.parse(JSON.parse(stdout))
  if (/HTTP 404|Not Found/.test(stderr)) return undefined
  throw failed('gh', args, stderr.trim() || stdout, FIX)
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
  const pages = await run('gh', ['api', path, '--paginate', '--slurp'], { fix: FIX })
  return item.array().array().parse(JSON.parse(pages)).flat()
}

// An issue is called by its number, which is another one than its id; a comment has an id alone.
const Written = z.object({
  number: z.number().optional(),
  id: z.number().optional(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullable(),
  pull_request: z.unknown().optional(),
})

/** Of a list of issues or comments, what the last run wrote: anybody may write the mark, only our own is overwritten. */
export async function findOwn(path: string, mark: string): Promise<number | undefined> {
  const own = (await list(path, Written)).find(
    ({ body, user, pull_request: pull }) =>
      user?.login === 'github-actions[bot]' && !pull && body?.startsWith(mark),
  )
  return own?.number ?? own?.id
}

export async function write(method: 'POST' | 'PUT' | 'PATCH', path: string, body: unknown): Promise<void> {
  await run('gh', ['api', '--method', method, path, '--input', '-'], { input: body, fix: FIX })
}
