/**
 * `fastmcp`, stateless, answering JSON, with our tools and a verified token. JavaScript: its package is in a lock file of
 * its own, which only `npm run bench` installs, so `npm run check` cannot know its types.
 */
import { FastMCP } from 'fastmcp'
import { answer, definitions } from './tools.ts'
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
for (const { name, title, description, annotations, input, output } of definitions)
  server.addTool({
    ...{ name, description, parameters: input, outputSchema: output },
    annotations: { ...annotations, title },
    execute: async () => answer(name),
  })
await server.start({
  transportType: 'httpStream',
  httpStream: { port: PORT, endpoint: '/mcp', stateless: true, enableJsonResponse: true },
})
sayListening()
