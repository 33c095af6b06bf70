/** The what-if for programs; the format is documented in docs/whatif.md. */
import { Unknown, type Value } from '../bicep/value.ts'
import { summaryOf } from './summary.ts'
import type { WhatIf } from './whatif.ts'

/** Counts up when a reader of the old format would misread the new one. */
export const SCHEMA_VERSION = 2

const orNull = <T>(value: T | undefined): T | null => value ?? null

/** What is open becomes `{"knownAfterDeployment": "https://{host}/mcp"}`. */
const plain = (value: Value | undefined): unknown => {
  if (value instanceof Unknown) return { knownAfterDeployment: value.text }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
}

export function documentOf(result: WhatIf) {
  return {
    schemaVersion: SCHEMA_VERSION,
    environment: result.environment,
    tenantId: result.tenantId,
    summary: summaryOf(result),
    blockers: result.blockers,
    changes: result.changes.map(({ properties, id, ...change }) => ({
      ...change,
      id: orNull(id),
      renamedFrom: orNull(result.orphans.find(({ renamedTo }) => renamedTo === change.key)?.id),
      properties: properties.map(({ before, after, place: _, ...property }) => ({
        ...property,
        before: plain(before),
        after: plain(after),
      })),
    })),
    orphans: result.orphans.map(({ uniqueName, renamedTo, ...orphan }) => ({
      ...orphan,
      uniqueName: orNull(uniqueName),
      renamedTo: orNull(renamedTo),
    })),
    pending: result.pending,
    unmanaged: result.unmanaged,
    accepted: result.accepted,
    stale: result.stale,
    notes: result.notes,
  }
}

export const jsonOf = (result: WhatIf): string => `${JSON.stringify(documentOf(result), undefined, 2)}\n`
