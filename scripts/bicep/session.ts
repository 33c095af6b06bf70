/** One process of the compiler, which answers several questions: starting it takes longer than an answer. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node'
import { z } from 'zod'
import { compilerEnvironment, isInPipeline, requireBicep } from './compiler.ts'

/** What the compiler finds in the files. */
export const Diagnostics = z.array(
  z.object({
    source: z.string(),
    /** From 0. */
    range: z.object({ start: z.object({ line: z.number(), char: z.number() }) }),
    level: z.string(),
    code: z.string(),
    message: z.string(),
  }),
)
export type Diagnostics = z.infer<typeof Diagnostics>

/** Names and answers: Azure/bicep, src/Bicep.Cli/Rpc/ICliJsonRpcProtocol.cs. Throws an error with what the compiler says. */
export type Ask = <T>(question: string, about: object, answer: z.ZodType<T>) => Promise<T>

const LONGEST = 120_000

/**
 * Variables of a home in which the compiler finds no sign-in of the Azure CLI: a template names the registry, and its
 * configuration the cloud, that would be asked with it. What it has unpacked and restored stays. On Windows home is no
 * variable.
 */
async function settleIn(home: string): Promise<Record<string, string>> {
  if (process.platform === 'win32') return { AZURE_CONFIG_DIR: home }
  const store = join(homedir(), '.bicep')
  await mkdir(store, { recursive: true })
  await symlink(store, join(home, '.bicep'))
  return {
    AZURE_CONFIG_DIR: join(home, '.azure'),
    HOME: home,
    DOTNET_BUNDLE_EXTRACT_BASE_DIR: join(homedir(), '.net'),
  }
}

/** The compiler sees `variables` and no others, and in a pipeline no sign-in; nothing of it is left behind. */
export async function inSession<T>(
  variables: Readonly<Record<string, string>>,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  const env = compilerEnvironment(variables)
  if (!isInPipeline()) return converse(env, work)
  const home = await mkdtemp(join(tmpdir(), 'bicep-home-'))
  try {
    return await converse({ ...env, ...(await settleIn(home)) }, work)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function converse<T>(env: NodeJS.ProcessEnv, work: (ask: Ask) => Promise<T>): Promise<T> {
  const { path } = requireBicep()
  const compiler = spawn(path, ['jsonrpc', '--stdio'], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: LONGEST,
  })
  let said = ''
  compiler.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  // A compiler that has ended takes no more questions: `closed` says so.
  compiler.stdin.on('error', () => {})
  const closed = once(compiler, 'close')
  const failure = closed.then(([code]) => {
    throw new Error(`${path} ended before it had answered (${code}). ${said.trim()}`)
  })
  const connection = createMessageConnection(
    new StreamMessageReader(compiler.stdout),
    new StreamMessageWriter(compiler.stdin),
  )
  connection.onError(() => {})
  connection.listen()
  const ask: Ask = async (question, about, answer) => {
    try {
      return answer.parse(await connection.sendRequest(`bicep/${question}`, about))
    } catch (error) {
      // The youngest question is getSnapshot, of 0.36.1.
      if (!(error instanceof ResponseError && error.code === ErrorCodes.MethodNotFound)) throw error
      throw new Error(`The compiler ${path} is too old: Bicep 0.36.1 or newer is needed.`)
    }
  }
  try {
    return await Promise.race([work(ask), failure])
  } finally {
    connection.dispose()
    compiler.kill()
    await closed.catch(() => {})
  }
}
