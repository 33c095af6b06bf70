import { z } from 'zod'
import { requestError } from './errors.ts'

export interface Subject {
  /** As Graph's messages name the type. */
  readonly resource: string
  readonly readOnly: readonly string[]
}

/** What a patch says. JSON null and absent are two things to Graph: null empties a property, absent leaves it. */
export function said<T extends object>(patch: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> }
export function said(patch: object = {}): object {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
}

/** Reads a body that may hold only known, writable properties; `key`: what the path says of them. Throws Graph's 400. */
export function parseBody<T>(
  schema: z.ZodType<T>,
  body: unknown,
  { resource, readOnly }: Subject,
  key: Record<string, string> = {},
): T {
  const given = z.record(z.string(), z.unknown()).safeParse(body ?? {})
  if (!given.success) throw requestError('Unexpected contents in request body.')
  const { '@odata.type': _, '@odata.context': __, ...written } = given.data
  const forbidden = Object.keys(written).find((name) => readOnly.includes(name))
  if (forbidden !== undefined) throw requestError(`Property '${forbidden}' is read-only and cannot be set.`)
  const properties = { ...written, ...key }
  const parsed = schema.safeParse(properties)
  if (parsed.success) return parsed.data
  throw refusalOf(parsed.error, resource, properties)
}

function refusalOf({ issues }: z.ZodError, resource: string, properties: Record<string, unknown>) {
  const [issue] = issues
  if (issue?.code === 'unrecognized_keys') {
    return requestError(`Invalid property '${[...issue.path, issue.keys[0]].join('.')}'.`)
  }
  const property = String(issue?.path[0] ?? '')
  return property in properties
    ? requestError(
        `Invalid value specified for property '${issue?.path.filter((part) => typeof part === 'string').join('.')}' of resource '${resource}'.`,
      )
    : requestError(`A value is required for property '${property}' of resource '${resource}'.`)
}
