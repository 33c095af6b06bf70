/** What is read besides the declared objects: the recycle bin, and everything with this environment's tags. */
import type { LiveProperties } from './keys.ts'
import type { Knowledge } from './knowledge.ts'
import { type Reader, readLive } from './live.ts'
import type { WantedObject } from './wanted.ts'

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
  }
  // The rarest tag is the longest one; the others are compared here.
  const tag = tags.toSorted((a, b) => b.length - a.length)[0]
  const bin = (kind: string, into: LiveProperties[]) => async () => {
    const path = `/directory/deletedItems/microsoft.graph.${kind}?$select=id,displayName,uniqueName&$top=999`
    into.push(...(await reader.list(path)))
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
  return around
}
