/** Objects that a template reads and does not write: their values may stand in what it writes. */
import type { GraphType } from '../bicep/declared.ts'
import { termOf } from '../bicep/scope.ts'
import { graphType, isGraph, modulesIn, type TemplateModule } from '../bicep/template.ts'
import { entriesOf } from '../bicep/term.ts'
import { toValue } from '../bicep/value.ts'
import { resolvedProperties } from './resolution.ts'
import type { WantedObject } from './wanted.ts'

const TYPES = ['applications', 'groups', 'servicePrincipals', 'users'] as const
const isReadable = (type: string): type is (typeof TYPES)[number] & GraphType =>
  TYPES.some((one) => one === type)

export const existingObjects = (template: TemplateModule): WantedObject[] =>
  modulesIn(template).flatMap((module) =>
    [...module.resources.values()].flatMap((resource): WantedObject[] => {
      const type = graphType(resource.type)
      if (!resource.isExisting || !isGraph(resource) || !isReadable(type)) return []
      const symbol = [...module.path, resource.symbol].join('/')
      const entries = entriesOf(termOf(resource.properties, { module })) ?? new Map()
      const values = [...entries].map(([name, one]) => [name, toValue(one)])
      return [
        {
          key: `existing/${symbol}`,
          type,
          symbols: [symbol],
          by: 'template',
          isMerged: false,
          passes: (known) => [resolvedProperties(Object.fromEntries(values), known)],
        },
      ]
    }),
  )
