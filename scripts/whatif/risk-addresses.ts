/** Rules about redirect and identifier URIs: whose are the addresses that an app registration names? */

import { Unknown } from '../bicep/value.ts'
import { isLoopback } from '../graph/loopback.ts'
import { isEmpty } from './properties.ts'
import { type Fact, isAdded, isAt, readHost, writeText } from './risk.ts'

export const ADDRESSES = [
  ...['identifierUris', 'web.redirectUris', 'spa.redirectUris', 'publicClient.redirectUris'],
  ...['publicClient.redirectUriSettings', 'web.redirectUriSettings', 'defaultRedirectUri'],
]
const addressOf = (fact: Fact): string | undefined =>
  isAt(fact, 'applications', ...ADDRESSES) && isAdded(fact) && !isEmpty(fact.difference.after)
    ? writeText(fact.difference.after)
    : undefined

/** Neither made by this deployment nor this machine nor known of the object. */
function isStrange(uri: string, { difference: { after }, hosts, domains, tenantId }: Fact): boolean {
  if (URL.canParse(uri) && isLoopback(new URL(uri))) return false
  if (after instanceof Unknown && after.isMade) return false
  const host = readHost(uri)
  if (domains.some((domain) => host.endsWith(`.${domain}`))) return false
  return host.includes('{') || !(hosts.has(host) || host === tenantId)
}

/** https anywhere or http on this machine; schemes of one's own can be claimed by any program. */
function isUnsafeRedirect(uri: string): boolean {
  // What the deployment fills in is a part of a name.
  const filled = uri.replaceAll(/\{[^}]*\}/g, 'x')
  if (!URL.canParse(filled)) return true
  const url = new URL(filled)
  return url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))
}

const receives = ({ difference: { place } }: Fact) =>
  place === 'identifierUris' ? 'Tokens for' : 'Authorization codes go to'

/** High: tokens or codes go to somebody who got none before. */
export function judgeForeignAddress(fact: Fact): string | undefined {
  const uri = addressOf(fact)
  if (uri === undefined) return undefined
  if (fact.difference.place !== 'identifierUris' && isUnsafeRedirect(uri))
    return 'Authorization codes go to an address that is neither https nor this machine.'
  if (fact.difference.place !== 'identifierUris' && readHost(uri).includes('*'))
    return `Authorization codes go to every host that fits ${readHost(uri)}.`
  // api://name has no host: what is after it is a name in this tenant.
  if (/^(api|urn):/i.test(uri) || !isStrange(uri, fact) || (fact.isNew && !fact.isTrusted)) return undefined
  return `${receives(fact)} ${readHost(uri)}, a host that the object did not use before.`
}

/** Medium: a strange host on a new object, or a further name of an API. */
export function judgeNewAddress(fact: Fact): string | undefined {
  const uri = addressOf(fact)
  if (uri === undefined) return undefined
  if (/^api:/i.test(uri) && !fact.isNew) return `${uri} becomes a name of this API.`
  return !/^(api|urn):/i.test(uri) && isStrange(uri, fact) ? `${receives(fact)} ${readHost(uri)}.` : undefined
}

/** Low: every other address. */
export const judgeKnownAddress = (fact: Fact): string | false =>
  addressOf(fact) !== undefined &&
  'On a host that this deployment makes, that is used already, or on this machine.'
