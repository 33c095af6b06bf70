import type { Application } from '../directory-objects.ts'

export type Platform = 'public' | 'web' | 'spa'

const isLoopback = ({ protocol, hostname }: URL) =>
  protocol === 'http:' && ['localhost', '127.0.0.1'].includes(hostname)

/**
 * Host, path and query have to be equal, letter case included. Of a loopback address the port is ignored
 * (RFC 8252, section 7.3) but the path is not: http://localhost:5000/callback needs http://localhost/callback.
 */
function matches(registered: string, asked: string): boolean {
  if (registered === asked) return true
  if (!URL.canParse(registered) || !URL.canParse(asked)) return false
  const [left, right] = [new URL(registered), new URL(asked)]
  if (right.username !== '' || right.password !== '' || right.hash !== '') return false
  if (isLoopback(left) && isLoopback(right)) {
    left.port = ''
    right.port = ''
  }
  return left.href === right.href
}

/** A redirect URI decides whether the client is public or has to prove itself; undefined when it is not registered. */
export function platformOf(
  { publicClient, web, spa }: Application,
  redirectUri: string,
): Platform | undefined {
  if (publicClient.redirectUris.some((registered) => matches(registered, redirectUri))) return 'public'
  if (spa?.redirectUris.some((registered) => matches(registered, redirectUri))) return 'spa'
  return web.redirectUris.some((registered) => matches(registered, redirectUri)) ? 'web' : undefined
}
