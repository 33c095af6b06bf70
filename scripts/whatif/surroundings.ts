/** What is read besides the declared objects: the recycle bin, everything with this environment's tags, and names. */
import type { Json } from '../bicep/template.ts'
import type { LiveProperties } from './keys.ts'
import type { Knowledge } from './knowledge.ts'
import { type Reader, readLive, together } from './live.ts'
import { isObject } from './open.ts'
import { MissingRight } from './rights.ts'
import { strangersOf } from './unmanaged.ts'
import type { WantedObject } from './wanted.ts'

const isRole = (role: Json): role is LiveProperties => isObject(role)
const quoted = (text: string) => `'${encodeURIComponent(text.replaceAll("'", "''"))}'`

export async function readAll(
  reader: Reader,
  objects: WantedObject[],
  knowledge: Knowledge,
  tags: readonly string[],
) {
  const around = {
    apps: [] as LiveProperties[],
    principals: [] as LiveProperties[],
    deleted: [] as LiveProperties[],
    /** What could not be told, in words. */
    notes: [] as string[],
  }
  // The rarest tag is the longest one; the others are compared here.
  const tag = tags.toSorted((a, b) => b.length - a.length)[0]
  const bin = (kind: string, into: LiveProperties[]) => async () => {
    const path = `/directory/deletedItems/microsoft.graph.${kind}?$select=id,displayName,uniqueName&$top=999`
    try {
      into.push(...(await reader.list(path)))
    } catch (error) {
      // Without a directory role the bin is closed: no reason to say nothing of everything else.
      if (!(error instanceof MissingRight)) throw error
      around.notes.push(
        `Whether a deleted ${kind} still has one of the unique names cannot be told: you may not read the recycle bin.`,
      )
    }
  }
  const tagged = (noun: string, select: string, into: LiveProperties[]) => async () => {
    if (tag !== undefined)
      into.push(...(await reader.list(`/${noun}?$filter=tags/any(t:t eq ${quoted(tag)})&$select=${select}`)))
  }
  const isDeclared = (type: string) => objects.some((one) => one.type === type)
  await readLive(reader, objects, knowledge, [
    ...(isDeclared('applications') ? [bin('application', around.deleted)] : []),
    ...(isDeclared('groups') ? [bin('group', around.deleted)] : []),
    tagged('applications', 'id,appId,displayName,uniqueName,tags', around.apps),
    tagged('servicePrincipals', 'id,appId,displayName,tags', around.principals),
  ])
  const strangers = strangersOf({ objects, knowledge })
  await together(
    strangers.map(async (id) => {
      const found = await reader.get(`/servicePrincipals/${id}?$select=id,appId,displayName,appRoles`)
      if (found) knowledge.name(found)
      const roles = found?.appRoles
      if (Array.isArray(roles)) knowledge.setAround(`roles/${id}`, 'appRoles', roles.filter(isRole))
    }),
  )
  return around
}
