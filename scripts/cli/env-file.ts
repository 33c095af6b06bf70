/** The `.env` of one developer: our block of lines, beside whatever else stands in the file. */
import { readFile, rm } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import { writeSecret } from './secret-file.ts'

const FIRST = (environment: string) =>
  `# azd environment ${environment}: written by the postprovision hook, until the end mark`
const LAST = '# end of azd environment'
const BLOCK =
  /^# azd environment (\S+): written by the postprovision hook.*$[\s\S]*?^# end of azd environment.*$\n?/m

const text = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })

/** The variables of our block, if it is about this azd environment. */
export async function readBlock(file: string, environment: string): Promise<NodeJS.Dict<string>> {
  const [block, owner] = BLOCK.exec(await text(file)) ?? []
  return block && owner === environment ? parseEnv(block) : {}
}

/** The variables of all other lines: a developer's own. */
export const readOwn = async (file: string): Promise<NodeJS.Dict<string>> =>
  parseEnv((await text(file)).replace(BLOCK, ''))

/** Replaces our block and keeps every other line, except those that would overrule ours. Returns whether it wrote. */
export async function writeBlock(
  file: string,
  environment: string,
  variables: Readonly<Record<string, string>>,
): Promise<boolean> {
  const before = await text(file)
  const foreign = before
    .replace(BLOCK, '')
    .split('\n')
    // Node takes the last of two lines with the same name.
    .filter((line) => !Object.keys(variables).includes(/^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1] ?? ''))
    .join('\n')
    .trimEnd()
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const block = [FIRST(environment), ...lines, LAST, ''].join('\n')
  const content = foreign ? `${foreign}\n${block}` : block
  if (content === before) return false
  await writeSecret(file, content)
  return true
}

/** Takes our block away if it is about this azd environment; a file without other lines goes as a whole. */
export async function dropBlock(file: string, environment: string): Promise<boolean> {
  const before = await text(file)
  if (BLOCK.exec(before)?.[1] !== environment) return false
  const rest = before.replace(BLOCK, '')
  if (rest.trim()) await writeSecret(file, rest)
  else await rm(file, { force: true })
  return true
}
