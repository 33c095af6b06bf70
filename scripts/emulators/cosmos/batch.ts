import { z } from 'zod'
import { DocumentOperation, type Outcome, type PartitionRef, perform } from './documents.ts'
import { Refusal } from './refusal.ts'
import type { Storage } from './storage.ts'

const Operations = z
  .array(DocumentOperation.extend({ partitionKey: z.string().optional() }))
  .min(1)
  .max(100)

/** 200 when all operations were carried out, 207 when none was. */
interface BatchOutcome {
  status: 200 | 207
  results: { statusCode: number; requestCharge: number; eTag?: string; resourceBody?: unknown }[]
}

/**
 * A transactional batch: the operation that fails has its own status, all others have 424, and
 * nothing of it remains.
 *
 * @throws Refusal 400 when it is empty, has more than 100 operations or leaves the partition
 */
export const runBatch = (storage: Storage, at: PartitionRef, body: unknown): BatchOutcome => {
  const parsed = Operations.safeParse(body)
  if (!parsed.success) throw new Refusal(400, 'A batch must hold 1 to 100 well-formed operations.')
  const operations = parsed.data
  if (operations.some(({ partitionKey = at.partition }) => partitionKey !== at.partition)) {
    throw new Refusal(400, 'All operations of a batch must have the partition key of the batch.')
  }
  let started = 0
  try {
    const outcomes = storage.transaction(() =>
      operations.map((operation) => {
        started += 1
        return perform(storage, at, operation)
      }),
    )
    return { status: 200, results: outcomes.map(resultOf) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return failedBatch(operations.length, started - 1, error.status)
  }
}

/** What a batch of `size` operations answers when the one at `index` fails with `status`. */
export const failedBatch = (size: number, index: number, status: number): BatchOutcome => ({
  status: 207,
  results: Array.from({ length: size }, (_, position) => ({
    statusCode: position === index ? status : 424,
    requestCharge: 0,
  })),
})

const resultOf = ({ status, etag, document }: Outcome) => ({
  statusCode: status,
  requestCharge: 1,
  ...(etag !== undefined && { eTag: etag }),
  ...(document !== undefined && { resourceBody: document }),
})
