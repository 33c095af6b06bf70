import type { IncomingMessage, ServerResponse } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { Permissions } from './permissions.ts'
import { addUserExpense } from './tools/add-user-expense.ts'
import { getExpenseStats } from './tools/get-expense-stats.ts'
import { getUserExpenses } from './tools/get-user-expenses.ts'
import { type Tool, type ToolContext, toolError } from './tools/tool.ts'

const tools = [addUserExpense, getUserExpenses, getExpenseStats]
const info = { name: 'expenses', title: 'Expenses', version: '1.0.0' }
const instructions = "Records and lists the signed-in user's expenses. Amounts have at most two decimals."
// Building a validator costs more than a whole request; it keeps no state of a caller.
const jsonSchemaValidator = new AjvJsonSchemaValidator()

/** Makes the MCP server of one request: stateless, with just the tools that its caller may see. */
export class McpServers {
  readonly #forUsers: readonly Tool[]

  /** Throws when infra/permissions.json and the code do not name the same tools. */
  constructor(permissions: Permissions) {
    const declared = new Map(permissions.tools.map((tool) => [tool.name, tool]))
    const names = new Set(tools.map(({ listed }) => listed.name))
    const stranger =
      [...names].find((name) => !declared.has(name)) ?? [...declared.keys()].find((name) => !names.has(name))
    if (stranger)
      throw new Error(`Tool ${stranger} must be both in infra/permissions.json and in app/mcp.ts.`)
    this.#forUsers = tools.filter(({ listed }) => declared.get(listed.name)?.admin === false)
  }

  /** Answers one JSON-RPC message as JSON; a client that hangs up aborts the tool. */
  async answer(
    { request, response, message }: { request: IncomingMessage; response: ServerResponse; message: unknown },
    context: ToolContext,
    refused?: string,
  ): Promise<void> {
    const server = serverWith(context.admin ? tools : this.#forUsers, context)
    if (refused) server.server.setRequestHandler(CallToolRequestSchema, () => toolError(refused))
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    response.once('close', () => void server.close())
    // The SDK's two types differ only in how they spell an optional property.
    await server.connect(transport as Parameters<McpServer['connect']>[0])
    await transport.handleRequest(request, response, message)
  }
}

function serverWith(offered: readonly Tool[], context: ToolContext): McpServer {
  const server = new McpServer(info, { jsonSchemaValidator, instructions })
  for (const tool of offered) tool.register(server, context)
  server.server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: offered.map(({ listed }) => listed),
  }))
  return server
}
