import type { Services } from '../services.ts'
import { faultFields } from '../telemetry/fault.ts'
import { unavailable } from './refusal.ts'

const SHARED_FOR_MS = 2_000

/**
 * Whether the server may be sent requests. Anyone may ask, so one look serves everybody for a while. The store is
 * looked at until it was reached once: a replica that can say "try again" is of more use than none, and all of them
 * would leave the rotation together. The result throws Refusal 503.
 */
export function sharedReadiness({
  drain,
  keys,
  store,
  log,
}: Pick<Services, 'drain' | 'keys' | 'store' | 'log'>) {
  let reached = false
  const look = async () => {
    try {
      await Promise.all([keys.ready(), reached || store.reachable()])
    } catch (error) {
      log.warn('Signing keys or the store cannot be reached.', faultFields(error))
      throw error
    }
    reached = true
    return { status: 'ready' }
  }
  let last: { answer: ReturnType<typeof look>; until: number } | undefined
  return async () => {
    if (drain.started) throw unavailable('deny:request', 'stopping', 'The server is being stopped.', 5)
    if (!last || Date.now() > last.until) last = { answer: look(), until: Date.now() + SHARED_FOR_MS }
    try {
      return await last.answer
    } catch {
      throw unavailable('deny:request', 'not_ready', 'Signing keys or the store cannot be reached.', 5)
    }
  }
}
