import type { Request } from 'express'
import { badRequest } from './errors.ts'
import { type Filterable, filterOf, type Predicate } from './filter.ts'

/** OData options of a list, as far as this emulator knows them; any other is refused, never ignored. */
interface ListQuery {
  select: string[] | undefined
  filter: Predicate | undefined
  top: number | undefined
  skip: number
  count: boolean
  advanced: boolean
}

const OF_LISTS = ['$select', '$filter', '$top', '$count', '$skiptoken']

function refuseUnknown({ query }: Request, known: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !known.includes(name))
  if (unknown !== undefined) throw badRequest(`The query parameter '${unknown}' is not supported.`)
}

function option(request: Request, name: string): string | undefined {
  const value = request.query[name]
  if (value === undefined || typeof value === 'string') return value
  throw badRequest(
    `Query option '${name}' was specified more than once, but it must be specified at most once.`,
  )
}

/** `filterable`: what may stand in `$filter`; `resource`: the type as its refusals name it. */
export function listQuery(request: Request, filterable: Filterable, resource: string): ListQuery {
  refuseUnknown(request, OF_LISTS)
  const count = option(request, '$count') === 'true'
  const advanced = count && request.get('consistencylevel')?.toLowerCase() === 'eventual'
  const filter = option(request, '$filter')
  return {
    select: selectOf(request),
    filter: filter === undefined ? undefined : filterOf(filter, filterable, resource),
    top: topOf(option(request, '$top')),
    skip: skipOf(option(request, '$skiptoken')),
    count,
    advanced,
  }
}

const selectOf = (request: Request) => option(request, '$select')?.split(',')

/** One object, of which the caller may select properties; any other option is refused. */
export function one(item: object, request: Request): object {
  refuseUnknown(request, ['$select'])
  return selected(item, selectOf(request))
}

function topOf(top: string | undefined): number | undefined {
  if (top === undefined) return undefined
  if (!/^[1-9]\d{0,2}$/.test(top))
    throw badRequest(`Invalid page size specified: '${top}'. Must be between 1 and 999 inclusive.`)
  return Number(top)
}

const skipOf = (token: string | undefined): number => {
  if (token === undefined) return 0
  const [, offset] = /^o(\d{1,6})$/.exec(Buffer.from(token, 'base64url').toString()) ?? []
  if (offset === undefined) throw badRequest('The skip token is not valid.')
  return Number(offset)
}

const skipToken = (offset: number) => Buffer.from(`o${offset}`).toString('base64url')

/** What a test may turn: small pages, and the empty page with a next link that Graph sometimes sends. */
export interface GraphSettings {
  pageSize: number
  emptyFirstPage: boolean
}

function selected(item: object, select: string[] | undefined): object {
  if (!select) return item
  const unknown = select.find((name) => !(name in item))
  if (unknown !== undefined) throw badRequest(`Could not find a property named '${unknown}'.`)
  return Object.fromEntries(
    Object.entries(item).filter(([name]) => name.startsWith('@') || select.includes(name)),
  )
}

/** One page of the filtered items; `url` is the list's own address, which the next link continues. */
export function page(items: readonly object[], query: ListQuery, settings: GraphSettings, url: URL) {
  const { filter } = query
  const found = filter ? items.filter(filter) : items
  const { skip, top = settings.pageSize } = query
  const empty = settings.emptyFirstPage && !url.searchParams.has('$skiptoken')
  const size = empty ? 0 : Math.min(top, settings.pageSize)
  const next = skip + size
  url.searchParams.set('$skiptoken', skipToken(next))
  return {
    ...(query.count ? { '@odata.count': found.length } : {}),
    ...(empty || next < found.length ? { '@odata.nextLink': url.href } : {}),
    value: found.slice(skip, next).map((item) => selected(item, query.select)),
  }
}
