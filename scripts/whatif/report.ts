/** The report as data: the numbers of a what-if, how a run ends, and the document for programs. */
import { mapValues } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { Level } from './command.ts'
import { isObject } from './properties.ts'
import { type Grade, isAtLeast } from './risk.ts'
import type { WhatIf } from './whatif.ts'

export type Summary = ReturnType<typeof summarize>

const gradesIn = ({ changes, pending, unmanaged, unreadable }: WhatIf): Grade[] => [
  ...unreadable.map(({ grade }) => grade),
  ...changes.flatMap(({ properties }) => properties.map(({ risk }) => risk.grade)),
  ...pending.map(({ risk }) => risk.grade),
  ...unmanaged.map(({ grade }) => grade),
]

/** Counts what was found; a grade counts once for each difference, open value and unmanaged thing. */
export function summarize(result: WhatIf) {
  const { changes, pending, blockers, unreadable, orphans, unmanaged, accepted, stale } = result
  const risks = { high: 0, medium: 0, low: 0 }
  for (const grade of gradesIn(result)) risks[grade] += 1
  const differs = [changes, blockers, unreadable, orphans, unmanaged, stale].some(({ length }) => length > 0)
  return {
    /** pending: nothing is known to change, but not everything is known. */
    result: differs ? 'changes' : pending.length > 0 ? 'pending' : 'none',
    create: changes.filter(({ action }) => action === 'create').length,
    update: changes.filter(({ action }) => action === 'update').length,
    blockers: blockers.length,
    /** Not understood, so not judged. */
    unreadable: unreadable.length,
    orphans: orphans.length,
    pending: pending.length,
    /** There and not declared. */
    unmanaged: unmanaged.length,
    accepted: accepted.length,
    /** Differences, open values and unmanaged things of each grade. */
    risks,
  }
}

/** The result in one sentence. */
export function writeHeadline(summary: Summary): string {
  const { result, blockers, unreadable, pending, create, update, orphans, unmanaged } = summary
  if (result === 'none') return 'No changes. The directory is as declared.'
  const values = `${pending} ${pending === 1 ? 'value is' : 'values are'} known only after the deployment`
  if (result === 'pending') return `No known changes; ${values}.`
  if (blockers > 0) return 'This deployment will fail.'
  if (unreadable > 0) return 'Not everything of the template could be read.'
  if (create + update + orphans > 0 || unmanaged === 0) return 'The directory differs from what is declared.'
  return 'What is declared is there, and more.'
}

/** 0: nothing of that level; 2: something. What will fail counts for every level. */
export function decideExitCode(result: WhatIf, level: Level): 0 | 2 {
  const seen = { ...result, pending: result.pending.filter(({ isUnseen }) => !isUnseen) }
  if (level === 'any') return summarize(seen).result === 'none' ? 0 : 2
  return result.blockers.length > 0 || gradesIn(seen).some((grade) => isAtLeast(grade, level)) ? 2 : 0
}

/** Counts up when a reader of the old format would misread the new one. */
const SCHEMA_VERSION = 2

/** What is unknown becomes `{"knownAfterDeployment": "https://{host}/mcp"}`. */
function plain(value: Value | undefined): unknown {
  if (value instanceof Unknown) return { knownAfterDeployment: value.text }
  if (Array.isArray(value)) return value.map(plain)
  return isObject(value) ? mapValues(value, plain) : (value ?? null)
}

/** The document for programs; docs/identity-what-if.schema.json describes it. */
export function renderJson(result: WhatIf): string {
  const document = {
    $schema: 'identity-what-if.schema.json',
    schemaVersion: SCHEMA_VERSION,
    environment: result.environment,
    tenantId: result.tenantId,
    summary: summarize(result),
    blockers: result.blockers,
    unreadable: result.unreadable.map(({ place, ...one }) => ({
      ...one,
      file: place?.file ?? null,
      line: place?.line ?? null,
    })),
    changes: result.changes.map(({ properties, id, ...change }) => ({
      ...change,
      id: id ?? null,
      renamedFrom: result.orphans.find(({ renamedTo }) => renamedTo === change.key)?.id ?? null,
      properties: properties.map(({ before, after, place: _, ...property }) => ({
        ...property,
        before: plain(before),
        after: plain(after),
      })),
    })),
    orphans: result.orphans.map(({ uniqueName, renamedTo, ...orphan }) => ({
      ...orphan,
      uniqueName: uniqueName ?? null,
      renamedTo: renamedTo ?? null,
    })),
    pending: result.pending.map(({ place: _, instead: _there, isUnseen: _unseen, ...one }) => one),
    unmanaged: result.unmanaged,
    accepted: result.accepted,
    stale: result.stale,
    notes: result.notes,
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
