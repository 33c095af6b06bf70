/** What is asked of the server: which tools there are, and the answer of one. */
import {
  type CallToolResult,
  Client,
  ProtocolError,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import { authorizedFetch, type Tokens } from './challenge.ts'
import { fitted, printable, tables } from './table.ts'

export type Shown = 'tables' | 'json'

/** Connects, lets `work` speak, and hangs up. */
export async function connected<T>(
  url: string,
  tokens: Tokens,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const info = { name: 'npm run client', version: '1' }
  const client = new Client(info, { versionNegotiation: { mode: 'auto' } })
  try {
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), { fetch: authorizedFetch(url, tokens) }),
    )
    return await work(client)
  } catch (error) {
    throw problemIn(error) ?? spoiled(error)
  } finally {
    await client.close()
  }
}

/** The SDK wraps what its fetch throws. */
function problemIn(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  return error instanceof Error ? problemIn(error.cause) : undefined
}

const spoiled = (error: unknown) =>
  new Problem({
    what: `The call came to no end: ${error instanceof Error ? error.message : String(error)}`,
    why: 'The server answered something else than MCP, or nothing in time.',
    fix: 'npm run client -- --list    (does it answer at all?)',
  })

const Choice = z.object({ enum: z.array(z.unknown()) })
/** Like `=food|other`, where an argument takes only certain values. */
function choiceOf(schema: unknown): string {
  const { data } = Choice.safeParse(schema)
  return data ? `=${data.enum.join('|')}` : ''
}

/**
 * The tools that this caller may see; arguments that may be left out have a question mark. `width`: of the terminal,
 * if it is one.
 */
export async function toolList(client: Client, shown: Shown, width?: number): Promise<string> {
  const { tools } = await client.listTools()
  if (shown === 'json') return JSON.stringify(tools)
  return fitted(
    tools.map(({ name, description, inputSchema: { properties = {}, required = [] } }) => ({
      tool: name,
      does: description,
      arguments: Object.entries(properties)
        .map(([key, schema]) => `${key}${required.includes(key) ? '' : '?'}${choiceOf(schema)}`)
        .join(' '),
    })),
    width,
  )
}

/** The answer of one tool. Throws a Problem with the tool's own words when it says that it failed. */
export async function toolAnswer(
  client: Client,
  name: string,
  args: Record<string, unknown>,
  shown: Shown,
): Promise<string> {
  const result = await client.callTool({ name, arguments: args }).catch(async (error: unknown) => {
    throw error instanceof ProtocolError ? await refused(client, name, error.message) : error
  })
  if (result.isError) throw failed(name, textOf(result))
  const { structuredContent } = result
  const isObject = typeof structuredContent === 'object' && structuredContent !== null
  const files = filesIn(result)
  if (shown === 'json')
    return JSON.stringify(
      isObject && files.length > 0 ? { ...structuredContent, files } : (structuredContent ?? result.content),
    )
  if (!isObject) return printable(textOf(result))
  const shownFiles = files.map(({ text }) => printable(text.replaceAll('\r\n', '\n')))
  return [tables(structuredContent), ...shownFiles].join('\n\n')
}

/** What comes beside the data: embedded resources that are text. */
const filesIn = ({ content }: CallToolResult) =>
  content.flatMap((block) => (block.type === 'resource' && 'text' in block.resource ? block.resource : []))

const textOf = ({ content }: CallToolResult): string =>
  content
    .map((block) => {
      if (block.type === 'text') return block.text
      return block.type === 'resource' && 'text' in block.resource ? block.resource.text : `(${block.type})`
    })
    .join('\n')

const failed = (name: string, text: string) =>
  new Problem({
    what: `${name} says: ${text}`,
    why: 'The tool did not do what was asked.',
    fix: 'What the tool says; the arguments that each takes: npm run client -- --list',
  })

/** A wrong name is the commonest fault, and not every server says so. */
async function refused(client: Client, name: string, text: string): Promise<Problem> {
  const names = (await client.listTools()).tools.map((tool) => tool.name)
  if (names.includes(name)) return failed(name, text)
  return new Problem({
    what: `There is no tool ${name} for this caller.`,
    why: `There are: ${names.join(', ')}. Tools for admins are offered to admins only.`,
    fix: 'npm run client -- --list',
  })
}
