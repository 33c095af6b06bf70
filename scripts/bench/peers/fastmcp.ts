/** `fastmcp`, stateless, answering JSON, with our tools and a verified token. */
import { FastMCP } from 'fastmcp'
import { add, emptyList, list, notMeasured, stats } from './tools.ts'
import { PORT, sayListening, verify } from './verification.ts'

const server = new FastMCP({
  name: 'expenses',
  title: 'Expenses',
  version: '1.0.0',
  authenticate: async (request) => {
    await verify(request.headers.authorization)
    return {}
  },
})
const known = ({ name, title, description, annotations }: typeof add | typeof list | typeof stats) => ({
  name,
  description,
  annotations: { ...annotations, title },
})
server.addTool({
  ...known(add),
  parameters: add.input,
  outputSchema: add.output,
  execute: async () => notMeasured(),
})
server.addTool({
  ...known(list),
  parameters: list.input,
  outputSchema: list.output,
  execute: async () => emptyList(),
})
server.addTool({
  ...known(stats),
  parameters: stats.input,
  outputSchema: stats.output,
  execute: async () => notMeasured(),
})
await server.start({
  transportType: 'httpStream',
  httpStream: { port: PORT, endpoint: '/mcp', stateless: true, enableJsonResponse: true },
})
sayListening()
