/** Which files the compiler would read, asked of itself: paths in Bicep may be variables, escapes and links. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { z } from 'zod'
import { requireBicep, variablesOfPrograms } from './compiler.ts'

const Answer = z.object({
  result: z.object({ filePaths: z.array(z.string()) }).optional(),
  error: z.object({ message: z.string() }).optional(),
})
const SECONDS = 120

/** A message has a head like one of HTTP (https://microsoft.github.io/language-server-protocol, base protocol). */
function bodyOf(received: Buffer): string | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = Number(/^Content-Length: (\d+)/im.exec(received.subarray(0, end).toString())?.[1])
  if (!Number.isInteger(length)) throw new Error('The compiler answered in a form that is not known here.')
  const body = received.subarray(end + 4)
  return body.length < length ? undefined : body.subarray(0, length).toString()
}

/** Absolute paths of a `.bicep` or `.bicepparam` file and of all that it uses, registry modules left out. */
export async function fileReferences(path: string): Promise<string[]> {
  const child = spawn(requireBicep().path, ['jsonrpc', '--stdio'], {
    env: variablesOfPrograms(),
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: SECONDS * 1000,
  })
  const closed = once(child, 'close')
  const request = { jsonrpc: '2.0', id: 1, method: 'bicep/getFileReferences', params: { path } }
  const text = JSON.stringify(request)
  child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  let body: string | undefined
  let received = Buffer.alloc(0)
  try {
    for await (const part of child.stdout) {
      received = Buffer.concat([received, z.instanceof(Buffer).parse(part)])
      body = bodyOf(received)
      if (body !== undefined) break
    }
  } finally {
    // It ends with its input.
    child.stdin.end()
    await closed
  }
  const { result, error } = Answer.parse(JSON.parse(body ?? '{}'))
  if (result) return result.filePaths
  throw new Error(`The compiler does not say which files ${path} uses: ${error?.message ?? 'no answer'}`)
}

const isInside = (root: string, path: string) => {
  const parts = relative(root, path).split(sep)
  // A checkout may keep a token in .git/config.
  return parts[0] !== '..' && !/^[A-Za-z]:$/.test(parts[0] ?? '') && !parts.includes('.git')
}

/**
 * Throws an error that names the first file which lies outside of the folder, links followed. A template of a pull
 * request could else print what a sign-in leaves on the machine: `loadTextContent('../../.azure/…')`.
 */
export async function refuseFilesOutside(root: string, path: string): Promise<void> {
  const folder = await realpath(root)
  for (const file of await fileReferences(path)) {
    // What is not there cannot be printed; the compiler says so by itself.
    const real = await realpath(file).catch(() => file)
    if (!isInside(folder, real)) throw new Error(`${path} reads ${file}, which lies outside of ${root}.`)
  }
}
