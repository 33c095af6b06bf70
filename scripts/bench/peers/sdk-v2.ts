/** The stateless serving of `@modelcontextprotocol/server` (v2) on Express, in both eras, with our tools and a verified token. */
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { serve } from './serve.ts'
import { answer, definitions } from './tools.ts'

function newServer(): McpServer {
  const server = new McpServer({ name: 'expenses', title: 'Expenses', version: '1.0.0' })
  for (const { name, input, output, ...texts } of definitions)
    server.registerTool(name, { ...texts, inputSchema: input, outputSchema: output }, () => answer(name))
  return server
}

const handle = toNodeHandler(createMcpHandler(newServer))
serve((request, response) => handle(request, response, request.body))
