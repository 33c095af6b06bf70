/** What is binary in a declaration: it is known by its hash, and its bytes are shown nowhere. */
import { createHash } from 'node:crypto'
import type { Value } from '../bicep/value.ts'
import { readProperty } from './properties.ts'

const hashOf = (algorithm: string, base64: string) =>
  createHash(algorithm).update(Buffer.from(base64, 'base64')).digest('hex').toUpperCase()

/** By size and hash. */
export const describeBytes = (base64: string): string =>
  `${Buffer.from(base64, 'base64').length} bytes, SHA-256 ${hashOf('sha256', base64).slice(0, 16)}`

/** Of a declared certificate by its content, of an actual one by what Graph shows in its place. */
export function thumbprintOf(credential: Value): string | undefined {
  const [key, shown] = ['key', 'customKeyIdentifier'].map((name) => readProperty(credential, name))
  if (typeof key === 'string') return hashOf('sha1', key)
  if (typeof shown !== 'string') return undefined
  return /^[0-9a-f]{40}$/i.test(shown)
    ? shown.toUpperCase()
    : Buffer.from(shown, 'base64').toString('hex').toUpperCase()
}

/** Entra gives every certificate an id of its own: the same content is the same one, else the same name and use. */
export function findCertificate(declared: Value, actual: readonly Value[]): number {
  const thumbprint = thumbprintOf(declared)
  const same = actual.findIndex((one) => thumbprint !== undefined && thumbprintOf(one) === thumbprint)
  if (same >= 0) return same
  return actual.findIndex((one) =>
    ['displayName', 'usage', 'type'].every(
      (name) => (readProperty(declared, name) ?? null) === (readProperty(one, name) ?? null),
    ),
  )
}
