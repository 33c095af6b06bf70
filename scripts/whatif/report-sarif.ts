/** The report for code scanning: SARIF 2.1.0, one result for each difference, open value, blocker and unmanaged thing. */
import { WORDS } from './actual-state.ts'
import type { Grade } from './risk.ts'
import { placeOf } from './unreadable.ts'
import type { WhatIf } from './whatif.ts'

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'
const LEVELS: Record<Grade, string> = { high: 'error', medium: 'warning', low: 'note' }

interface Finding {
  ruleId: string
  level: string
  text: string
  key: string
  /** Where the object is declared, if it is not one that has been read. */
  symbols?: string[]
  /** What tells it from other findings of the object, for a scan that follows it from run to run. */
  about: string
}

const findings = ({ changes, pending, blockers, unmanaged, unreadable }: WhatIf): Finding[] => [
  ...unreadable.map(({ title, type, symbols, reason }) => ({
    ...{ ruleId: 'unreadable', level: LEVELS.high, symbols, key: `${type}/${title}`, about: 'unreadable' },
    text: `${title} could not be read: ${reason}`,
  })),
  ...blockers.map(({ key, title, rule, what, wayOut }) => ({
    ...{ ruleId: rule, level: 'error', key, about: rule },
    text: `${title} will fail: ${what} ${wayOut}`,
  })),
  ...changes.flatMap(({ key, type, title, properties }) =>
    properties.map(({ action, path, risk }) => ({
      ...{ ruleId: risk.rule, level: LEVELS[risk.grade], key, about: `${action} ${path}` },
      text: `${WORDS[type]} ${title}, ${action} ${path}: ${risk.reason}`,
    })),
  ),
  ...pending.map(({ key, type, title, path, text, risk }) => ({
    ...{ ruleId: risk.rule, level: LEVELS[risk.grade], key, about: `open ${path} ${text}` },
    text: `${WORDS[type]} ${title}, ${path ? `${path}: ` : ''}${text}: ${risk.reason}`,
  })),
  ...unmanaged.map(({ key, type, title, kind, value, grade, reason }) => ({
    ...{ ruleId: 'unmanaged', level: LEVELS[grade], key, about: `${kind} ${value}` },
    text: `${WORDS[type]} ${title}, ${kind} is not declared: ${reason}`,
  })),
]

/** What a hook writes has no place. */
export function renderSarif(result: WhatIf): string {
  const found = findings(result)
  const locationsOf = ({ key, symbols }: Finding) =>
    (symbols ?? result.objects.find((one) => one.key === key)?.symbols ?? []).flatMap((symbol) => {
      const place = placeOf(result.places, symbol)
      if (!place) return []
      const [artifactLocation, region] = [{ uri: encodeURI(place.file) }, { startLine: place.line }]
      return [{ physicalLocation: { artifactLocation, region } }]
    })
  const driver = {
    name: 'identity-what-if',
    rules: [...new Set(found.map(({ ruleId }) => ruleId))].toSorted().map((id) => ({ id })),
  }
  const results = found.map((one) => ({
    ...{ ruleId: one.ruleId, level: one.level, message: { text: one.text } },
    locations: locationsOf(one),
    partialFingerprints: { 'identity/v1': `${one.key} ${one.about}` },
  }))
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [{ tool: { driver }, results }] }, undefined, 2)}\n`
}
