import { z } from 'zod'
import * as refusals from './refusals.ts'

/** Request parameters, each once: RFC 6749 forbids repetition and Entra refuses it. */
export type Parameters = Readonly<Record<string, string | undefined>>

const Raw = z.record(z.string(), z.union([z.string(), z.array(z.string())])).catch({})

/** From a parsed query or form body. An empty value counts as absent. */
export function parametersOf(raw: unknown): Parameters {
  const entries = Object.entries(Raw.parse(raw ?? {}))
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      if (typeof value !== 'string') throw refusals.request.duplicated(name)
      return value === '' ? [] : [[name, value]]
    }),
  )
}

export function required(parameters: Parameters, name: string): string {
  const value = parameters[name]
  if (value === undefined) throw refusals.request.missing(name)
  return value
}
