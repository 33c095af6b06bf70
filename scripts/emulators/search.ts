import express, { type Request, Router } from 'express'
import { asRefusal, inTrouble } from './api.ts'
import type { Entra } from './entra/entra.ts'
import { demand, type Right, readerOf, type SearchRole } from './search/access.ts'
import { checkUpdate, type Definition, definitionOf } from './search/definition.ts'
import { indexBatch, type Stored } from './search/documents.ts'
import { hitsOf } from './search/query.ts'
import { badRequest, forbidden, noSuchIndex, noSuchPath, outage, sendRefusal } from './search/refusal.ts'

type Index = { definition: Definition; documents: Map<string, Stored> }

/** One search service: its role assignments and its indexes by name. Tests change both. */
export type Search = Readonly<{ roles: SearchRole[]; indexes: Map<string, Index> }>

type Call = Readonly<{ entra: Entra; search: Search; name: string; request: Request }>
type Reply = Readonly<{ status: number; body: object }>
type Operation = Readonly<{ right: Right; answer: (call: Call) => Reply | Promise<Reply> }>

/** The first of these with document permissions that hold without a user's token too. */
const VERSIONS = ['2025-11-01-preview', '2026-05-01-preview']

const indexOf = ({ search, name }: Call): Index => {
  const index = search.indexes.get(name)
  if (!index) throw noSuchIndex(name)
  return index
}

function define({ search, name, request }: Call): Reply {
  const definition = definitionOf(name, request.body)
  const before = search.indexes.get(name)
  if (before) checkUpdate(before.definition, definition)
  search.indexes.set(name, { definition, documents: before?.documents ?? new Map() })
  return { status: before ? 200 : 201, body: definition }
}

async function query(call: Call): Promise<Reply> {
  const { entra, request } = call
  // Needs the right contentSecurity/elevatedOperations/read of a custom role, which nobody has here.
  if (request.get('x-ms-enable-elevated-read') !== undefined) throw forbidden()
  const { definition, documents } = indexOf(call)
  const reader = await readerOf(entra, request.get('x-ms-query-source-authorization'))
  return { status: 200, body: hitsOf(definition, documents.values(), request.body, reader) }
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'PUT ': { right: 'define', answer: define },
  'GET ': { right: 'define', answer: (call) => ({ status: 200, body: indexOf(call).definition }) },
  'POST /docs/search.index': {
    right: 'write',
    answer: (call) => {
      const { definition, documents } = indexOf(call)
      return indexBatch(definition, documents, call.request.body)
    },
  },
  'POST /docs/search.post.search': { right: 'query', answer: query },
}

/**
 * An emulator of Azure AI Search: the part of its data plane that @azure/search-documents speaks for documents with
 * readers. Strict where the service guards them; where its documentation is silent, it refuses.
 */
export function searchRoutes(entra: Entra, search: Search): Router {
  const unreadable = () => badRequest('The body is not JSON.')
  const api = { name: 'search', send: sendRefusal, outage, unreadable } as const
  const router = Router()
  router.use(express.json({ limit: '16mb' }), inTrouble(entra, api))
  router.use(async (request, response) => {
    const { status, body } = await answer(entra, search, request)
    response.status(status).json(body)
  })
  router.use(asRefusal(api))
  return router
}

async function answer(entra: Entra, search: Search, request: Request): Promise<Reply> {
  const [, name, rest] = /^\/indexes\('([^']*)'\)(.*)$/.exec(decodeURI(request.path)) ?? []
  const operation = OPERATIONS[`${request.method} ${rest}`]
  if (name === undefined || !operation) throw noSuchPath()
  await demand(entra, search.roles, request.get('authorization'), operation.right)
  if (!VERSIONS.includes(String(request.query['api-version']).toLowerCase()))
    throw badRequest('The api-version is missing or knows no document permissions.')
  return operation.answer({ entra, search, name, request })
}
