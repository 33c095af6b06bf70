/** Whose are the addresses that an app registration names? */
import { isLoopback } from '../../app/loopback.ts'
import type { LiveProperties } from './keys.ts'

/** Everything between `//` and the next `/`; braces stand for what is known after the deployment. */
export const hostOf = (uri: string): string =>
  /^[a-z][\w+.-]*:\/\/([^/]*)/i.exec(uri)?.[1]?.toLowerCase() ?? uri

const isOnLoopback = (uri: string) => URL.canParse(uri) && isLoopback(new URL(uri))

/** Neither made by this deployment nor this machine nor known of the live app. */
export function isForeign(
  uri: string,
  { live, tenantId }: { live: LiveProperties | undefined; tenantId: string },
): boolean {
  const host = hostOf(uri)
  // An open part of a host is an output of the deployment itself.
  if (host.includes('{') || isOnLoopback(uri)) return false
  const present = Array.isArray(live?.identifierUris) ? live.identifierUris : []
  const own = [tenantId, live?.appId, ...present.map((one) => hostOf(String(one)))]
  return !own.some((one) => typeof one === 'string' && one.toLowerCase() === host)
}

/** https anywhere or http on this machine; schemes of one's own can be claimed by any program. */
export const isUnsafeRedirect = (uri: string): boolean => {
  // What the deployment fills in is a part of a name.
  const filled = uri.replaceAll(/\{[^}]*\}/g, 'x')
  if (!URL.canParse(filled)) return true
  const url = new URL(filled)
  return url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))
}
