/** Whose are the addresses that an app registration names? */
import { isLoopback } from '../../app/loopback.ts'

/** Everything between `//` and the next `/`; braces stand for what is known after the deployment. */
export const hostOf = (uri: string): string =>
  /^[a-z][\w+.-]*:\/\/([^/]*)/i.exec(uri)?.[1]?.toLowerCase() ?? uri

export const isOnLoopback = (uri: string) => URL.canParse(uri) && isLoopback(new URL(uri))

/** https anywhere or http on this machine; schemes of one's own can be claimed by any program. */
export const isUnsafeRedirect = (uri: string): boolean => {
  // What the deployment fills in is a part of a name.
  const filled = uri.replaceAll(/\{[^}]*\}/g, 'x')
  if (!URL.canParse(filled)) return true
  const url = new URL(filled)
  return url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))
}
