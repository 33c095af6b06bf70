/** The stateless example of `@modelcontextprotocol/sdk` (v1), answering JSON, with our tools and a verified token. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import express from 'express'
import { answer, definitions } from './tools.ts'
import { PORT, sayListening, verify } from './verification.ts'

function newServer(): McpServer {
  const server = new McpServer({ name: 'expenses', title: 'Expenses', version: '1.0.0' })
  for (const { name, input, output, ...texts } of definitions)
    server.registerTool(name, { ...texts, inputSchema: input, outputSchema: output }, () => answer(name))
  return server
}

const app = express().disable('x-powered-by').disable('etag')
app.post('/mcp', express.json(), async (request, response) => {
  await verify(request.headers.authorization)
  const server = newServer()
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.on('close', () => {
    void transport.close()
    void server.close()
  })
  // The SDK spells optional properties differently under exactOptionalPropertyTypes.
  await server.connect(transport as Transport)
  await transport.handleRequest(request, response, request.body)
})
app.listen(PORT, sayListening)
