import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import {
  CallToolRequestSchema,
  isJSONRPCRequest,
  type JSONRPCMessage,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { Response } from 'express'
import type { Permissions } from './permissions.ts'
import { addUserExpense } from './tools/add-user-expense.ts'
import { getExpenseStats } from './tools/get-expense-stats.ts'
import { getUserExpenses } from './tools/get-user-expenses.ts'
import { type Tool, type ToolContext, toolError } from './tools/tool.ts'
import { OneRequestTransport } from './transport.ts'

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

  /**
   * Answers one JSON-RPC message as JSON; nothing waits for a client that has hung up. Notifications change
   * nothing in a server without sessions and are acknowledged.
   */
  async answer(
    message: JSONRPCMessage,
    response: Response,
    context: ToolContext,
    refused?: string,
  ): Promise<void> {
    if (!isJSONRPCRequest(message)) return void response.status(202).end()
    const server = serverWith(context.admin ? tools : this.#forUsers, context, refused)
    const transport = new OneRequestTransport()
    response.once('close', () => {
      if (!response.writableFinished) void server.close()
    })
    await server.connect(transport)
    const answer = await transport.ask(message)
    if (answer) response.json(answer)
  }
}

function serverWith(offered: readonly Tool[], context: ToolContext, refused?: string): Server {
  // The SDK's McpServer would build its tools anew for every request; what it adds is in tools/tool.ts.
  const server = new Server(info, { jsonSchemaValidator, instructions, capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: offered.map(({ listed }) => listed) }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    if (refused) return toolError(refused)
    const tool = offered.find(({ listed }) => listed.name === params.name)
    return tool ? tool.call(params.arguments, context) : toolError(`Tool ${params.name} not found.`)
  })
  return server
}
