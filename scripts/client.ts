/** `npm run client`: calls the tools of the server, as a person or as a service, from a terminal or a program. */
import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import open from 'open'
import { Problem } from './cli/problem.ts'
import type { Tokens } from './client/challenge.ts'
import { choice } from './client/choice.ts'
import { Person } from './client/person.ts'
import { addressOf, describeServer, LOCAL, type McpServer } from './client/server.ts'
import { serviceTokens } from './client/service.ts'
import { printable } from './client/table.ts'
import { cacheFile } from './client/token-cache.ts'
import { connected, toolAnswer, toolList } from './client/tools.ts'

const usage = `npm run client -- <tool> [json]    calls a tool, like: get_user_expenses '{"limit": 5}'
npm run client -- --list           the tools that you may call
npm run client -- --sign-out       forgets the tokens of this server

  --json                    one JSON value on stdout, for programs (npm run --silent client -- ...)
  --device-code             signs in with a code, for a machine without a browser
  --service                 calls as an app: ENTRA_CLIENT_SECRET, ENTRA_CLIENT_CERTIFICATE_PATH or a GitHub job
  --url <SERVER_URL>        else SERVER_URL of the azd environment, else ${LOCAL} (npm start)
  --client-id <id>          else ENTRA_PUBLIC_CLIENT_ID of the azd environment; of a service AZURE_CLIENT_ID
  -e, --environment <name>  another azd environment than the selected one
  -h, --help                this text

Exit code 0: the answer is on stdout. 1: what is wrong is on stderr.`

const { env, platform } = process
const say = (line: string) => console.error(line)
const misused = (what: string, why = 'One tool is called, with one JSON object.') =>
  new Problem({ what, why, fix: 'npm run client -- --help' })

function readArguments() {
  const on = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        list: on,
        'sign-out': on,
        json: on,
        'device-code': on,
        service: on,
        url: { type: 'string' },
        'client-id': { type: 'string' },
        environment: { type: 'string', short: 'e' },
        help: { ...on, short: 'h' },
      },
    })
  } catch (error) {
    throw misused(error instanceof Error ? error.message : String(error))
  }
}
type Values = ReturnType<typeof readArguments>['values']

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {}
  throw misused('The arguments of a tool are one JSON object, and this is none.')
}

/** In the user's own folder: a project's may be shared, or copied into an image. */
const keptFile = (url: string) =>
  cacheFile(
    join(
      // @env XDG_CONFIG_HOME, LOCALAPPDATA The folder where `npm run client` keeps its tokens, by default `~/.config`.
      env.XDG_CONFIG_HOME || (platform === 'win32' && env.LOCALAPPDATA) || join(homedir(), '.config'),
      'entra-mcp-client',
    ),
    url,
  )

async function tokensOf(server: McpServer, values: Values, clientId: () => Promise<string>): Promise<Tokens> {
  if (values.service) {
    const id = values['client-id'] || env.AZURE_CLIENT_ID
    if (!id) throw misused('A service needs --client-id or AZURE_CLIENT_ID.', 'It signs in as its own app.')
    return serviceTokens(server, id, env)
  }
  // Whoever asks for a code has somebody to type it.
  const way = values['device-code'] ? 'device code' : process.stderr.isTTY ? 'browser' : undefined
  const file = keptFile(server.url)
  return new Person({ server, clientId: await clientId(), file, way, openBrowser: open, print: say })
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments()
  if (values.help) return console.log(usage)
  const [tool, json = '{}', ...more] = positionals
  const { url: given, 'client-id': clientId, environment } = values
  const [extra] = values.list || values['sign-out'] ? positionals : more
  if (extra !== undefined) throw misused(`Unexpected: ${extra}`)
  const chosen = choice({ url: given, clientId, environment }, env)
  if (values['sign-out']) {
    const url = await chosen.url()
    addressOf(url)
    await rm(keptFile(url), { force: true })
    return say(`Signed out of ${url}. A browser may still know you.`)
  }
  if (!tool && !values.list) throw misused('No tool is named.')
  const args = objectIn(json)
  const server = await describeServer(await chosen.url())
  const tokens = await tokensOf(server, values, () => chosen.clientId(server))
  const shown = values.json ? 'json' : 'tables'
  console.log(
    await connected(server.url, tokens, (client) =>
      tool && !values.list
        ? toolAnswer(client, tool, args, shown)
        : toolList(client, shown, process.stdout.columns),
    ),
  )
}

main().catch((error: unknown) => {
  const text = error instanceof Problem ? error.message : `${String(error)}\n  fix: npm run client -- --help`
  // A server could send back what it was sent.
  say(`✗ ${printable(text.replaceAll(/\beyJ[\w-]+\.[\w.-]+/g, '(token)'))}`)
  process.exitCode = 1
})
