/** The stateless serving of `@modelcontextprotocol/server` (v2) on Express, in both eras, with our tools and a verified token. */
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import express from 'express'
import { add, emptyList, list, notMeasured, stats } from './tools.ts'
import { PORT, sayListening, verify } from './verification.ts'

function newServer(): McpServer {
  const server = new McpServer({ name: 'expenses', title: 'Expenses', version: '1.0.0' })
  const known = ({ title, description, annotations }: typeof add | typeof list | typeof stats) => ({
    title,
    description,
    annotations,
  })
  server.registerTool(
    add.name,
    { ...known(add), inputSchema: add.input, outputSchema: add.output },
    notMeasured,
  )
  server.registerTool(
    list.name,
    { ...known(list), inputSchema: list.input, outputSchema: list.output },
    emptyList,
  )
  server.registerTool(
    stats.name,
    { ...known(stats), inputSchema: stats.input, outputSchema: stats.output },
    notMeasured,
  )
  return server
}

const handle = toNodeHandler(createMcpHandler(newServer))
const app = express().disable('x-powered-by').disable('etag')
app.post('/mcp', express.json(), async (request, response) => {
  await verify(request.headers.authorization)
  await handle(request, response, request.body)
})
app.listen(PORT, sayListening)
