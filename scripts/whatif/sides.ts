/** Both sides of a comparison, with relationships and lists of words as the sets that they are. */

import type { Json } from '../bicep/template.ts'
import type { Value } from '../bicep/value.ts'
import type { LiveProperties } from './keys.ts'
import { isProperties, type WantedProperties } from './open.ts'
import type { WantedObject } from './wanted.ts'

export interface Sides {
  wanted: WantedProperties
  /** Sets whose live extras stay. */
  appended: WantedProperties
  live: LiveProperties
}

/** They find the object, so they cannot differ; an assignment keeps one to be shown by. */
const KEYS = ['uniqueName', 'appId', 'clientId', 'resourceId', 'consentType', 'principalId']

const words = (text: Value | Json | undefined): string[] =>
  typeof text === 'string' ? text.split(' ').filter(Boolean) : []

const isKey = (name: string, { type }: WantedObject) =>
  KEYS.includes(name) || (name === 'name' && type === 'applications/federatedIdentityCredentials')

/** A set, and whether live extras stay; undefined for everything else. */
function setOf(
  one: WantedObject,
  name: string,
  value: Value,
): { all: Value[]; isAppended: boolean } | undefined {
  if (name === 'scope' && one.type === 'oauth2PermissionGrants')
    return { all: words(value), isAppended: one.isMerged }
  if (!isProperties(value) || !Array.isArray(value.relationships)) return undefined
  return { all: value.relationships, isAppended: value.relationshipSemantics !== 'replace' }
}

export function sidesOf(
  one: WantedObject,
  properties: WantedProperties,
  live: LiveProperties | undefined,
): Sides {
  const sides: Sides = { wanted: {}, appended: {}, live: { ...live } }
  for (const [name, value] of Object.entries(properties)) {
    if (isKey(name, one)) continue
    const set = setOf(one, name, value)
    if (set?.isAppended) sides.appended[name] = set.all
    else sides.wanted[name] = set?.all ?? value
    if (set && typeof live?.[name] === 'string') sides.live[name] = words(live[name])
  }
  return sides
}
