import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { badRequest } from './refusal.ts'

/** What of a field's definition this emulator plays; anything else is refused. */
const Field = z.strictObject({
  name: z.string().regex(/^[A-Za-z]\w{0,127}$/),
  type: z.enum(['Edm.String', 'Collection(Edm.String)']),
  key: z.boolean().default(false),
  searchable: z.boolean().default(false),
  filterable: z.boolean().default(false),
  sortable: z.boolean().default(false),
  facetable: z.boolean().default(false),
  retrievable: z.boolean().default(true),
  permissionFilter: z.enum(['userIds', 'groupIds']).nullish(),
})
export type Field = z.infer<typeof Field>

/** The definition of an index: REST reference, "Indexes - Create Or Update", of the versions with document permissions. */
const Definition = z.strictObject({
  // Names: lower case letters, digits and dashes, 2 to 128 ("Naming rules").
  name: z.string().regex(/^[a-z0-9](?!.*--)[a-z0-9-]{0,126}[a-z0-9]$/),
  fields: z.array(Field).min(1),
  // What the service does without it is not said: refused, so that nobody relies on it.
  permissionFilterOption: z.enum(['enabled', 'disabled']),
})
export type Definition = z.infer<typeof Definition>

/** Reads a definition for the index of the URL. Throws a refusal that names the first fault. */
export function definitionOf(name: string, body: unknown): Definition {
  const parsed = Definition.safeParse(body)
  if (!parsed.success) throw badRequest(z.prettifyError(parsed.error))
  const { data } = parsed
  if (data.name !== name) throw badRequest('The name in the body is not the name in the URL.')
  const fault = faultOf(data.fields)
  if (fault) throw badRequest(fault)
  return data
}

function faultOf(fields: readonly Field[]): string | undefined {
  const keys = fields.filter(({ key }) => key)
  if (keys.length !== 1 || keys[0]?.type !== 'Edm.String') return 'An index has one key field, an Edm.String.'
  if (new Set(fields.map(({ name }) => name)).size !== fields.length) return 'A field is defined twice.'
  // Source: "Indexing document access control lists using the push REST APIs", Limitations.
  const filters = fields.filter(({ permissionFilter }) => permissionFilter)
  if (new Set(filters.map(({ permissionFilter }) => permissionFilter)).size !== filters.length)
    return 'Only one field of each permissionFilter type can exist in an index.'
  const wrong = filters.find(({ type, filterable }) => type !== 'Collection(Edm.String)' || !filterable)
  return wrong && `The permission filter field ${wrong.name} should be a filterable Collection(Edm.String).`
}

/**
 * Refuses what an update may not do. Source: "Update or rebuild an index": fields are added, never removed nor changed,
 * but for `retrievable`; the page on ACLs adds that a field may become a permission filter.
 */
export function checkUpdate(before: Definition, after: Definition): void {
  for (const old of before.fields) {
    const field = after.fields.find(({ name }) => name === old.name)
    const { retrievable, permissionFilter = old.permissionFilter } = field ?? old
    if (!isDeepStrictEqual(field, { ...old, retrievable, ...(permissionFilter && { permissionFilter }) }))
      throw badRequest(`Existing field '${old.name}' cannot be changed.`, 'OperationNotAllowed')
  }
}
