/**
 * What GitHub Actions gives a job with `permissions: id-token: write`: an address and a token to ask for the job's own
 * token. Source: GitHub's "OpenID Connect reference" (claims, header `Authorization: bearer`, query `audience`).
 */
import express from 'express'
import { makeKeyRing } from '../../scripts/emulators/entra/keys.ts'
import { listenOnLoopback } from '../../scripts/emulators/loopback.ts'
import type { System } from './system.ts'

export const GITHUB = 'https://token.actions.githubusercontent.com'
const REQUEST_TOKEN = 'of-the-job'

/** `subject`: like `repo:contoso/expenses:ref:refs/heads/main`. */
export async function startGithubJob({ tenant }: Pick<System, 'tenant'>, subject: string) {
  const keys = await makeKeyRing()
  tenant.knowIssuer(GITHUB, keys.published)
  const asked: { audience: unknown; authorization: string | undefined }[] = []
  const github = express().get('/token', async ({ query, headers }, response) => {
    asked.push({ audience: query.audience, authorization: headers.authorization })
    if (headers.authorization !== `Bearer ${REQUEST_TOKEN}`) return void response.sendStatus(401)
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: GITHUB,
      sub: subject,
      aud: String(query.audience),
      iat: now,
      nbf: now,
      exp: now + 300,
    }
    response.json({ value: await keys.sign(claims), count: 1 })
  })
  const { port, close } = await listenOnLoopback(github, 0, '')
  return {
    /** Every question since the start. */
    asked,
    /** What the runner puts into the job's environment. */
    variables: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://localhost:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    },
    close,
  }
}
