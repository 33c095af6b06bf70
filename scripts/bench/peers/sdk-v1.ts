/** The stateless example of `@modelcontextprotocol/sdk` (v1), answering JSON, with our tools and a verified token. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { serve } from './serve.ts'
import { answer, definitions } from './tools.ts'

function newServer(): McpServer {
  const server = new McpServer({ name: 'expenses', title: 'Expenses', version: '1.0.0' })
  for (const { name, input, output, ...texts } of definitions)
    server.registerTool(name, { ...texts, inputSchema: input, outputSchema: output }, () => answer(name))
  return server
}

serve(async (request, response) => {
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
