import { z } from 'zod'
import type { Definition, Field } from './definition.ts'
import { badRequest } from './refusal.ts'

/** A document as it is stored: strings and lists of strings by field. */
export type Stored = Readonly<Record<string, string | readonly string[] | undefined>>

/** Source: "Indexing document ACLs", Limitations and "Special ACL values". Principals are object ids. */
const Principals = z.array(z.guid().or(z.enum(['all', 'none']))).max(1000)
/** Source: "Naming rules": letters, digits, dashes, underscores and equal signs. */
const Key = z.string().regex(/^[\w=-]{1,1024}$/)

const Batch = z.strictObject({
  value: z
    .array(z.looseObject({ '@search.action': z.literal('upload') }))
    .min(1)
    .max(1000),
})

const shapeOf = ({ key, permissionFilter, type }: Field) => {
  if (key) return Key
  if (permissionFilter) return Principals.optional()
  return type === 'Edm.String' ? z.string().optional() : z.array(z.string()).optional()
}

/** One document's outcome, in the shape of the answer. */
type Outcome = Readonly<{ key: string; status: boolean; errorMessage: string | null; statusCode: number }>

/**
 * Carries out a batch of uploads, each on its own; nobody here deletes. 207 when one of them failed.
 *
 * @throws ApiRefusal when the batch as a whole cannot be read
 */
export function indexBatch(definition: Definition, documents: Map<string, Stored>, body: unknown) {
  const batch = Batch.safeParse(body)
  if (!batch.success) throw badRequest(z.prettifyError(batch.error))
  const shape = z.strictObject(
    Object.fromEntries(definition.fields.map((field) => [field.name, shapeOf(field)])),
  )
  const keyField = definition.fields.find(({ key }) => key)?.name ?? ''
  const value = batch.data.value.map(({ '@search.action': _, ...document }): Outcome => {
    const key = Key.safeParse(document[keyField]).data
    if (key === undefined) throw badRequest(`The key field '${keyField}' is missing or not valid.`)
    const parsed = shape.safeParse(document)
    if (!parsed.success)
      return { key, status: false, errorMessage: z.prettifyError(parsed.error), statusCode: 400 }
    const statusCode = documents.has(key) ? 200 : 201
    documents.set(key, parsed.data)
    return { key, status: true, errorMessage: null, statusCode }
  })
  return { status: value.every(({ status }) => status) ? 200 : 207, body: { value } }
}
