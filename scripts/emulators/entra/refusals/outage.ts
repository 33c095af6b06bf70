import { EntraError } from '../errors.ts'

/** Entra's own troubles, as faults make them happen. */
export const outage = (status: number) =>
  status === 429
    ? new EntraError(90055, 'temporarily_unavailable', 'There are too many incoming requests.', { status })
    : new EntraError(90033, 'temporarily_unavailable', 'A transient error has occurred. Please try again.', {
        status,
      })
