/** The stateless serving of `@modelcontextprotocol/server` (v2) on Express, in both eras, with our tools and a verified token. */
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import express from 'express'
import { answer, definitions } from './tools.ts'
import { PORT, sayListening, verify } from './verification.ts'

function newServer(): McpServer {
  const server = new McpServer({ name: 'expenses', title: 'Expenses', version: '1.0.0' })
  for (const { name, input, output, ...texts } of definitions)
    server.registerTool(name, { ...texts, inputSchema: input, outputSchema: output }, () => answer(name))
  return server
}

const handle = toNodeHandler(createMcpHandler(newServer))
const app = express().disable('x-powered-by').disable('etag')
app.post('/mcp', express.json(), async (request, response) => {
  await verify(request.headers.authorization)
  await handle(request, response, request.body)
})
app.listen(PORT, sayListening)
