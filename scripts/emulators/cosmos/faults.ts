/** What the emulator tells apart when it counts requests and injects faults. */
export type Operation =
  | 'account'
  | 'database'
  | 'container'
  | 'ranges'
  | 'plan'
  | 'query'
  | 'batch'
  | 'create'
  | 'upsert'
  | 'read'
  | 'replace'
  | 'patch'
  | 'delete'

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

/** Faults for the next requests, by operation. Tests inject them; nothing else does. */
export class Faults {
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

/** What the emulator did since it started. */
export interface Counters {
  requests: number
  /** Documents that were handed out by queries and point reads. */
  documentsRead: number
  operations: Partial<Record<Operation, number>>
}

export const count = (counters: Counters, operation: Operation): void => {
  counters.requests += 1
  counters.operations[operation] = (counters.operations[operation] ?? 0) + 1
}
