/** How long, in milliseconds, each service that we call may take: from the connection to the last byte of the body. */
export const deadlines = {
  /** The tenant's signing keys. */
  keys: 5_000,
  /** A token of the managed identity. */
  identity: 5_000,
  /** One on-behalf-of exchange, the proof of the managed identity included. */
  exchange: 10_000,
  /** The question about the admin group, all its pages and repetitions. */
  graph: 5_000,
  /** One question to another downstream API, its repetitions included. */
  downstream: 10_000,
  /** One use of the store, all its pages and repetitions. */
  store: 8_000,
  /** The statistics over all users, all their pages and repetitions. */
  statistics: 30_000,
  /** One question about costs, all its pages; Azure takes its time. */
  costs: 30_000,
  /** An export of costs, all its months: MCP clients wait a minute, unless progress is reported. */
  costExport: 50_000,
  /** The one look at the store before the server is ready. */
  readiness: 3_000,
} as const

/** A call did not end in time; whether it was carried out is unknown. */
export class DeadlineExceeded extends Error {
  override name = 'DeadlineExceeded'
  readonly code = 'deadline_exceeded'

  constructor(milliseconds: number) {
    super(`No answer within ${milliseconds} ms.`)
  }
}

/**
 * Ends a call by our own clock, whatever the called library does with the signal: some hand it on to the
 * connection only, some not to the body, some to nothing.
 *
 * @throws DeadlineExceeded; every other error of the call as it is
 */
export async function within<T>(milliseconds: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (milliseconds <= 0) throw new DeadlineExceeded(milliseconds)
  const controller = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new DeadlineExceeded(milliseconds)
    reject(error)
    controller.abort(error)
  }, milliseconds)
  try {
    return await Promise.race([call(controller.signal), late])
  } finally {
    clearTimeout(timer)
  }
}
