import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))

/** The line of `npm start -- --json`. */
export const Ready = z.object({
  mcp: z.url(),
  tenant: z.url(),
  tenantId: z.guid(),
  clientId: z.guid(),
  scope: z.string(),
  cosmos: z.url(),
  users: z.array(z.object({ name: z.string(), upn: z.email(), oid: z.guid(), admin: z.boolean() })),
})
export type Ready = z.infer<typeof Ready>

/** `npm start` on free ports; `env` should name a DATA_DIR of the test's own. */
export function startCommand(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env.PATH, PORT: '0', TENANT_PORT: '0', COSMOS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator](), errors: () => errors }
}

/** The content of the page at the tenant's address, as soon as it is as `isThere` wants it: a decision is seen just after its answer. */
export async function happened(tenant: string, isThere: (page: string) => boolean): Promise<string> {
  const { body } = await fetch(new URL('/decisions', tenant))
  let text = ''
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    const event = text.split('\n\n').at(-2)?.replace('data: ', '')
    const page: unknown = event && JSON.parse(event)
    if (typeof page === 'string' && isThere(page)) return page
  }
  throw new Error('npm start has ended.')
}
