import express, { type Request, type Response } from 'express'
import { PORT, sayListening, verify } from './verification.ts'

/** POST /mcp on Express, behind a verified token. */
export function serve(answer: (request: Request, response: Response) => unknown): void {
  const app = express().disable('x-powered-by').disable('etag')
  app.post('/mcp', express.json(), async (request, response) => {
    await verify(request.headers.authorization)
    await answer(request, response)
  })
  app.listen(PORT, sayListening)
}
