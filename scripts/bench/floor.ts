/** The floor of the table: an Express echo of JSON behind a verified token, and nothing else. */
import express from 'express'
import { PORT, sayListening, verify } from './peers/verification.ts'

const app = express().disable('x-powered-by').disable('etag')
app.post('/mcp', express.json(), async (request, response) => {
  await verify(request.headers.authorization)
  response.json(request.body)
})
app.listen(PORT, sayListening)
