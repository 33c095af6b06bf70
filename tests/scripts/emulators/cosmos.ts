import type { Answer } from '../../../scripts/emulators/cosmos/account.ts'
import { failedBatch } from '../../../scripts/emulators/cosmos/batch.ts'
import { Refusal } from '../../../scripts/emulators/cosmos/refusal.ts'
import type { CosmosRequest, Operation } from '../../../scripts/emulators/cosmos/request.ts'
import * as emulators from '../../../scripts/emulators/cosmos.ts'

/**
 * - a status: refused without effect; 412 and 449 of a batch come as the status of its first operation
 * - `drop`: carried out, then the connection breaks before the answer
 * - `hang`: carried out, and never answered
 * - `none`: carried out and answered, so that the next fault meets a later request
 */
export type Fault =
  | { status: 403 | 408 | 412 | 429 | 449 | 503; substatus?: number; retryAfterMs?: number }
  | 'drop'
  | 'hang'
  | 'none'

/** Faults for the next requests, by operation. */
class Faults {
  readonly #queues = new Map<Operation, Fault[]>()

  /** The next `times` requests of this operation meet the fault, after those injected before. */
  inject(operation: Operation, fault: Fault, times = 1): void {
    const queue = this.#queues.get(operation) ?? []
    queue.push(...Array.from({ length: times }, () => fault))
    this.#queues.set(operation, queue)
  }

  take(operation: Operation): Fault | undefined {
    return this.#queues.get(operation)?.shift()
  }

  clear(): void {
    this.#queues.clear()
  }
}

const refused = ({ operation, body }: CosmosRequest, fault: Exclude<Fault, string>): Answer => {
  const { status, substatus, retryAfterMs } = fault
  // The service finds these two out while it carries out the operations one by one.
  if (operation === 'batch' && Array.isArray(body) && (status === 412 || status === 449)) {
    const { results } = failedBatch(body.length, 0, status)
    return { status: 207, body: results }
  }
  const headers = {
    ...(retryAfterMs !== undefined && { 'x-ms-retry-after-ms': String(retryAfterMs) }),
    ...(substatus !== undefined && { 'x-ms-substatus': String(substatus) }),
  }
  throw new Refusal(status, 'An injected fault.', headers)
}

type Options = Omit<Parameters<typeof emulators.startCosmos>[0], 'intervene'>
export type Cosmos = Awaited<ReturnType<typeof startCosmos>>

/** The emulator, with all that tests do to it and want to know of it. */
export const startCosmos = async (options: Options) => {
  const faults = new Faults()
  const operations: Partial<Record<Operation, number>> = {}
  const cosmos = await emulators.startCosmos({
    ...options,
    intervene(request, response, carryOut) {
      const { operation } = request
      operations[operation] = (operations[operation] ?? 0) + 1
      const fault = faults.take(operation)
      if (typeof fault === 'object') return refused(request, fault)
      const answer = carryOut()
      if (fault === 'drop') response.socket?.destroy()
      return fault === 'drop' || fault === 'hang' ? undefined : answer
    },
  })
  /** What the emulator did since it started. */
  const counters = {
    operations,
    /** Documents that were handed out by queries and point reads. */
    get documentsRead() {
      return cosmos.account.documentsRead
    },
  }
  return { ...cosmos, faults, counters }
}
