/** One process of the compiler, which answers several questions: starting it takes longer than an answer. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node'
import { z } from 'zod'
import { compilerEnvironment, requireBicep } from './compiler.ts'

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
// The youngest question is getSnapshot, of 0.36.1.
const NO_SUCH_METHOD = -32601
const Refused = z.object({ code: z.number() })

/** The compiler sees `variables` and no others; nothing of it is left behind. */
export async function inSession<T>(
  variables: Readonly<Record<string, string>>,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  const { path } = requireBicep()
  const compiler = spawn(path, ['jsonrpc', '--stdio'], {
    env: compilerEnvironment(variables),
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
      if (Refused.safeParse(error).data?.code !== NO_SUCH_METHOD) throw error
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
