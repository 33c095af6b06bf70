import type { RequestHandler } from 'express'

const KEYED = /\/(\w+)\((?:(\w+)=)?'((?:[^']|'')*)'\)/g

/**
 * `applications(uniqueName='x')` becomes `applications/uniqueName=x`, which a router can match; an object id
 * holds no equals sign. `applications('id')` is the same as `applications/id`.
 */
export const alternateKeys: RequestHandler = (request, _response, next) => {
  const [path = '', query] = request.url.split('?')
  const plain = path.replaceAll(/%28/gi, '(').replaceAll(/%29/gi, ')').replaceAll(/%27/gi, "'")
  const rewritten = plain
    .replaceAll('%3D', '=')
    .replace(KEYED, (_all, noun: string, name: string | undefined, value: string) => {
      const text = value.replaceAll("''", "'")
      return `/${noun}/${name === undefined ? '' : `${name}=`}${text.replaceAll('/', '%2F')}`
    })
  request.url = query === undefined ? rewritten : `${rewritten}?${query}`
  next()
}

export interface Key {
  /** `id`, or the alternate key's property. */
  property: string
  value: string
}

export function keyOf(segment: string): Key {
  const [, property, value] = /^(uniqueName|appId|name|userPrincipalName)=(.*)$/s.exec(segment) ?? []
  return property === undefined || value === undefined
    ? { property: 'id', value: segment }
    : { property, value }
}
