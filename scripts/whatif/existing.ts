/** Objects that a template reads and does not write: their values may stand in what it writes. */
import type { GraphType } from '../template/declared.ts'
import { graphType, isGraph, modulesIn, type TemplateModule } from '../template/template.ts'
import { readValue } from '../template/value.ts'
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
      const values = Object.entries(resource.properties).map(([name, one]) => [name, readValue(one)])
      return [
        {
          key: `existing/${symbol}`,
          type,
          symbols: [symbol],
          by: 'template',
          isMerged: false,
          passes: (known) => [resolvedProperties(Object.fromEntries(values), module, known)],
        },
      ]
    }),
  )
