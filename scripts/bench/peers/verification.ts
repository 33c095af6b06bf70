/** What every server but ours does to a token: RS256, issuer, audience; remembered for a minute, as ours is. */
import { createRemoteJWKSet, jwtVerify } from 'jose'

const REMEMBERED_MS = 60_000

const [keysUrl = '', issuer = '', audience = '', port = ''] = process.argv.slice(2)
const keys = createRemoteJWKSet(new URL(keysUrl))
const remembered = new Map<string, number>()

/** Where the server listens. */
export const PORT = Number(port)

/** Says so, and lets a signal end the process in the way that writes its compile cache. */
export function sayListening(): void {
  process.once('SIGTERM', () => process.exit(0))
  console.log('listening')
}

/** Throws when the Authorization header holds no good token. */
export async function verify(authorization: string | undefined): Promise<void> {
  const token = authorization?.slice('Bearer '.length) ?? ''
  if ((remembered.get(token) ?? 0) > Date.now()) return
  await jwtVerify(token, keys, { algorithms: ['RS256'], issuer, audience })
  remembered.set(token, Date.now() + REMEMBERED_MS)
}
