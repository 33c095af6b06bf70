import { hash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { patched } from './patch.ts'
import { notFound, Refusal } from './refusal.ts'
import { PARTITION_KEY, ridOf } from './resources.ts'
import type { Storage } from './storage.ts'

/** One partition of one container. */
export interface PartitionRef {
  /** Link of the container. */
  container: string
  /** The JSON text of the partition key header: `["…"]`. */
  partition: string
}

/** One document operation; `batch` requests hold them in this very form. */
export const DocumentOperation = z.object({
  operationType: z.enum(['Create', 'Upsert', 'Read', 'Replace', 'Patch', 'Delete']),
  id: z.string().optional(),
  resourceBody: z.unknown().optional(),
  ifMatch: z.string().optional(),
})
export type DocumentOperation = z.infer<typeof DocumentOperation>

/** The stored document after the operation; nothing after a delete. */
export interface Outcome {
  status: 200 | 201 | 204
  etag?: string
  document?: Record<string, unknown>
}

const Body = z.looseObject({ id: z.string().regex(/^[^/\\#]{1,1023}$/) })
const Stored = z.record(z.string(), z.unknown())
const largest = 2 * 1024 * 1024

/** Carries out one operation inside of its partition. Refusals leave everything as it was. */
export const perform = (storage: Storage, at: PartitionRef, operation: DocumentOperation): Outcome =>
  storage.transaction(() =>
    operation.operationType === 'Create' || operation.operationType === 'Upsert'
      ? put(storage, at, operation)
      : touch(storage, at, operation),
  )

const put = (storage: Storage, at: PartitionRef, operation: DocumentOperation): Outcome => {
  const body = bodyIn(at, operation.resourceBody)
  const current = find(storage, at, body.id)
  if (current && operation.operationType === 'Create')
    throw new Refusal(409, 'Resource with specified id or name already exists.')
  if (current) check(current, operation.ifMatch)
  return { status: current ? 200 : 201, ...save(storage, at, body.id, body) }
}

const touch = (storage: Storage, at: PartitionRef, operation: DocumentOperation): Outcome => {
  const { operationType, id = '', resourceBody } = operation
  const current = find(storage, at, id)
  if (!current) throw notFound()
  check(current, operation.ifMatch)
  if (operationType === 'Read') return { status: 200, ...current }
  if (operationType === 'Delete') {
    remove(storage, at, id)
    return { status: 204 }
  }
  const body = bodyIn(at, operationType === 'Patch' ? patched(current.document, resourceBody) : resourceBody)
  if (body.id !== id) throw new Refusal(400, 'The id of a document cannot be changed.')
  return { status: 200, ...save(storage, at, id, body) }
}

const remove = (storage: Storage, { container, partition }: PartitionRef, id: string) => {
  const sql = 'DELETE FROM documents WHERE container = ? AND partition = ? AND id = ?'
  storage.run(sql, container, partition, id)
  storage.run('UPDATE progress SET lsn = lsn + 1')
}

const find = (storage: Storage, { container, partition }: PartitionRef, id: string) => {
  const sql = 'SELECT etag, body FROM documents WHERE container = ? AND partition = ? AND id = ?'
  const row = storage.row(sql, container, partition, id)
  if (row?.etag === undefined || row.body === undefined) return undefined
  return { etag: row.etag, document: Stored.parse(JSON.parse(row.body)) }
}

const check = ({ etag }: { etag: string }, ifMatch: string | undefined) => {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch === etag) return
  throw new Refusal(
    412,
    'Operation cannot be performed because one of the specified precondition is not met.',
  )
}

const bodyIn = ({ partition }: PartitionRef, body: unknown) => {
  const parsed = Body.safeParse(body)
  if (!parsed.success)
    throw new Refusal(400, 'The input content is invalid because the id is missing or invalid.')
  if (JSON.stringify([parsed.data[PARTITION_KEY]]) !== partition) {
    const message = "PartitionKey extracted from document doesn't match the one specified in the header."
    throw new Refusal(400, message, { 'x-ms-substatus': '1001' })
  }
  return parsed.data
}

const save = (
  storage: Storage,
  { container, partition }: PartitionRef,
  id: string,
  body: Record<string, unknown>,
) => {
  const etag = `"${randomUUID()}"`
  const _rid = ridOf(container) + hash('sha256', `${partition}${id}`).slice(0, 8)
  const system = { _rid, _self: `${container}/docs/${id}/`, _etag: etag, _attachments: 'attachments/' }
  const document = { ...body, ...system, _ts: Math.floor(Date.now() / 1_000) }
  const text = JSON.stringify(document)
  if (Buffer.byteLength(text) > largest)
    throw new Refusal(413, 'The size of a document must not exceed 2 MB.')
  storage.run('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)', container, partition, id, etag, text)
  storage.run('UPDATE progress SET lsn = lsn + 1')
  return { etag, document }
}
