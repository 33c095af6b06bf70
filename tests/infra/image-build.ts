/**
 * Performs app/Dockerfile without a container engine: every stage is a folder, its absolute paths lie below that
 * folder, and the RUN lines are run as they stand, in the stage's working directory.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Instruction {
  name: string
  rest: string
}
export interface Image {
  workdir: string
  env: Record<string, string>
  command: string[]
  remove: () => Promise<void>
}
interface Stage {
  folder: string
  workdir: string
  home: string
  env: Record<string, string>
  command: string[]
}

export const instructions = async (): Promise<Instruction[]> => {
  const text = await readFile(join(root, 'app/Dockerfile'), 'utf8')
  const lines = text
    .replace(/^\s*#.*$/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
  return lines
    .filter((line) => line.trim())
    .map((line) => {
      const [, name = '', rest = ''] = /^\s*([A-Z]+)\s+(.*)$/.exec(line) ?? []
      return { name, rest: rest.trim() }
    })
}

/** The build context holds what .dockerignore lets in: everything is shut out but the lines with an "!". */
const contextFilter = async () => {
  const lines = (await readFile(join(root, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
  if (lines[0] !== '*') throw new Error('.dockerignore should shut out everything first: "*"')
  const allowed = lines.slice(1).map((line) => line.replace(/^!/, ''))
  return (path: string) => allowed.some((entry) => path === entry || path.startsWith(`${entry}/`))
}

/** npm reaches its registry as this machine is set up to; nothing that would configure the server gets in. */
const surroundings = () => {
  const npm = {
    npm_config_cache: join(homedir(), '.npm'),
    npm_config_userconfig: join(homedir(), '.npmrc'),
    npm_config_prefer_offline: 'true',
  }
  const configures = /^(AZURE|ENTRA|COSMOS|SERVER|GRAPH|NODE)_(?!EXTRA_CA_CERTS)/
  return {
    ...npm,
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !configures.test(name))),
  }
}

const run = async (line: string, stage: Stage) => {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const env = { ...surroundings(), ...stage.env, PATH, HOME: stage.home }
  const child = spawn('sh', ['-c', line], { cwd: stage.workdir, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`RUN ${line}\nended with ${code}:\n${output}`)
}

const inside = (stage: Stage, path: string) =>
  isAbsolute(path) ? join(stage.folder, path) : join(stage.workdir, path)

const copy = async (
  rest: string,
  stage: Stage,
  stages: Map<string, Stage>,
  letsIn: (path: string) => boolean,
) => {
  const words = rest.split(/\s+/)
  const from = words[0]?.startsWith('--from=') ? stages.get(words.shift()?.slice(7) ?? '') : undefined
  const target = words.pop() ?? ''
  for (const source of words) {
    if (!from && !letsIn(source))
      throw new Error(`.dockerignore shuts out ${source}, which app/Dockerfile copies`)
    const to =
      target.endsWith('/') && words.length > 1
        ? join(inside(stage, target), basename(source))
        : inside(stage, target)
    await cp(from ? inside(from, source) : join(root, source), to.replace(/\/$/, ''), { recursive: true })
  }
}

/** Understands the instructions that app/Dockerfile uses; any other one is an error. */
export const buildImage = async (): Promise<Image> => {
  const folder = await mkdtemp(join(tmpdir(), 'image-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const stage = await perform(await instructions(), folder)
    return { workdir: stage.workdir, env: stage.env, command: stage.command, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

const perform = async (list: Instruction[], folder: string): Promise<Stage> => {
  const letsIn = await contextFilter()
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const { name, rest } of list) {
    if (name === 'ARG' && !stage) continue
    if (name === 'FROM') {
      const place = join(folder, String(stages.size))
      stage = { folder: place, workdir: place, home: join(place, 'root'), env: {}, command: [] }
      stages.set(/ AS (\w+)$/.exec(rest)?.[1] ?? '', stage)
      await mkdir(place)
      continue
    }
    if (!stage) throw new Error(`${name} before FROM`)
    await step(name, rest, stage, stages, letsIn)
  }
  if (!stage) throw new Error('app/Dockerfile has no stage')
  return stage
}

const step = async (
  name: string,
  rest: string,
  stage: Stage,
  stages: Map<string, Stage>,
  letsIn: (path: string) => boolean,
) => {
  if (name === 'WORKDIR') {
    stage.workdir = inside(stage, rest)
    await mkdir(stage.workdir, { recursive: true })
  } else if (name === 'ENV') {
    const [, key = '', value = ''] = /^(\w+)=(.*)$/.exec(rest) ?? []
    stage.env[key] = isAbsolute(value) ? inside(stage, value) : value
  } else if (name === 'USER') {
    stage.home = inside(stage, `/home/${rest}`)
    await mkdir(stage.home, { recursive: true })
  } else if (name === 'COPY') await copy(rest, stage, stages, letsIn)
  else if (name === 'RUN') await run(rest, stage)
  else if (name === 'CMD') stage.command = JSON.parse(rest)
  else if (name !== 'EXPOSE') throw new Error(`tests/infra/image-build.ts does not know ${name}: teach it`)
}

/** Starts the image's command with the image's environment and these variables, nothing of the caller's. */
export const startImage = (
  { command: [program, ...args], env, workdir }: Image,
  variables: Record<string, string>,
) => {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const child = spawn(program ?? '', args, {
    cwd: workdir,
    env: { PATH, ...env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const exitCode = once(child, 'close').then(([code]) => Number(code))
  const until = async (text: RegExp) => {
    while (!text.test(output)) {
      const ended = await Promise.race([
        exitCode.then(() => true),
        once(child.stdout, 'data').then(() => false),
      ])
      if (ended) throw new Error(`The server ended before it said ${text}:\n${output}`)
    }
  }
  return { exitCode, until, output: () => output, stop: () => child.kill('SIGTERM') }
}
