/** The floor of the table: an Express echo that verifies an RS256 token for each request, and nothing else. */
import express from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [keysUrl = '', issuer = '', audience = ''] = process.argv.slice(2)
const keys = createRemoteJWKSet(new URL(keysUrl))
const app = express().disable('x-powered-by').disable('etag')
app.post('/mcp', express.json(), async (request, response) => {
  const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
  await jwtVerify(token, keys, { algorithms: ['RS256'], issuer, audience })
  response.json(request.body)
})
const server = app.listen(0, () => {
  const address = server.address()
  console.log(typeof address === 'object' && address ? address.port : 0)
})
