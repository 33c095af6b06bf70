import { isDeepStrictEqual } from 'node:util'
import { fits } from './fit.ts'
import { isGraph, modulesIn, type TemplateModule, type TemplateResource } from './template.ts'
import type { Json } from './value.ts'

/** A Graph resource of a snapshot: evaluated, but without the symbolic name. */
export interface PredictedGraphResource {
  type: string
  properties: Record<string, Json>
}

export interface Match {
  module: TemplateModule
  resource: TemplateResource
  properties: Record<string, Json>
}

interface Candidate {
  module: TemplateModule
  resource: TemplateResource
}

const idOf = ({ module, resource }: Candidate) => [...module.path, resource.symbol].join('/')

function graphResources(template: TemplateModule): Candidate[] {
  return modulesIn(template).flatMap((module) => {
    const resources = [...module.resources.values()].filter(isGraph)
    const [first] = resources
    if (module.isLoop && first)
      throw new Error(
        `Module ${module.path.join('/')} is a loop with Graph resources (${first.symbol}): which copy is which cannot be told. Declare the modules one by one, or loop inside the module.`,
      )
    return resources.filter(({ isExisting }) => !isExisting).map((resource) => ({ module, resource }))
  })
}

/**
 * Gives every predicted Graph resource its symbolic name, by type, declared properties and their known parts.
 * Throws when there is no way or more than one; two resources that are equal in everything may change places.
 */
export function matchResources(
  template: TemplateModule,
  predicted: readonly PredictedGraphResource[],
): Match[] {
  const all = graphResources(template)
  const choices = predicted.map((one) => ({
    one,
    candidates: all.filter(
      ({ module, resource }) =>
        resource.type === one.type && fits(resource.properties, one.properties, module),
    ),
  }))
  const nobody = choices.find(({ candidates }) => candidates.length === 0)
  if (nobody)
    throw new Error(
      `The snapshot has a ${nobody.one.type} that no resource of the template could have become: ${JSON.stringify(nobody.one.properties)}. Were both made from the same files?`,
    )
  const ways = waysThrough(
    choices.toSorted((a, b) => a.candidates.length - b.candidates.length),
    all,
  )
  const [way, other] = ways
  if (!way) throw new Error('Template and snapshot do not fit together. Were both made from the same files?')
  if (other) throw ambiguous(way, other)
  return way
}

interface Choice {
  one: PredictedGraphResource
  candidates: Candidate[]
}

/** Ways to give each prediction its own resource so that none without a condition is left: two at most. */
function waysThrough(choices: Choice[], all: Candidate[]): Match[][] {
  const ways: Match[][] = []
  const taken = new Set<Candidate>()
  const matches: Match[] = []
  const isFree = (candidate: Candidate) => candidate.resource.isLoop || !taken.has(candidate)
  const go = (index: number): void => {
    if (ways.length > 1) return
    const choice = choices[index]
    if (!choice) {
      const left = all.filter((one) => !taken.has(one) && !one.resource.isConditional && !one.resource.isLoop)
      if (left.length === 0 && !ways.some((way) => isSame(way, matches))) ways.push([...matches])
      return
    }
    for (const candidate of choice.candidates.filter(isFree)) {
      const added = !taken.has(candidate)
      taken.add(candidate)
      matches.push({ ...candidate, properties: choice.one.properties })
      go(index + 1)
      matches.pop()
      if (added) taken.delete(candidate)
    }
  }
  go(0)
  return ways
}

const bySymbol = (matches: Match[]) => Object.fromEntries(matches.map((one) => [idOf(one), one.properties]))

const isSame = (left: Match[], right: Match[]) => isDeepStrictEqual(bySymbol(left), bySymbol(right))

function ambiguous(way: Match[], other: Match[]): Error {
  const elsewhere = bySymbol(other)
  const symbols = way
    .filter((match) => !isDeepStrictEqual(elsewhere[idOf(match)], match.properties))
    .map(idOf)
  return new Error(
    `It cannot be told which prediction belongs to which of ${symbols.join(', ')}. Give them names or texts of their own.`,
  )
}
