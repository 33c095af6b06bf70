import { z } from 'zod'
import { requestError } from './errors.ts'

/** JSON null and absent are two things to Graph: null empties a property, absent leaves it. */
export const nullable = <T extends z.ZodType>(schema: T) => schema.nullable().optional()

interface Subject {
  /** As Graph's messages name the type. */
  resource: string
  readOnly: readonly string[]
}

/** Reads a body that may hold only known, writable properties. Throws Graph's 400. */
export function parseBody<T extends z.ZodType>(
  schema: T,
  body: unknown,
  { resource, readOnly }: Subject,
): z.infer<T> {
  const given = z.record(z.string(), z.unknown()).safeParse(body ?? {})
  if (!given.success) throw requestError('Unexpected contents in request body.')
  const { '@odata.type': _, '@odata.context': __, ...properties } = given.data
  const forbidden = Object.keys(properties).find((name) => readOnly.includes(name))
  if (forbidden !== undefined) throw requestError(`Property '${forbidden}' is read-only and cannot be set.`)
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
