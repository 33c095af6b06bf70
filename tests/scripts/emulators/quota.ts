import { tooMany } from '../../../scripts/emulators/arm/errors.ts'

/**
 * A question costs a unit (QPU) for each month of data, and a tenant has so many in ten seconds; whoever is refused is
 * told by a header how long. Source of units and header: Azure/azure-rest-api-specs#24407 and Azure/azqr#745; how
 * questions are counted and refused ones forgotten is inferred.
 */
export interface Quota {
  /** Units in ten seconds; undefined: as many as one likes. */
  units: number | undefined
  /** Questions that came before the time that a refusal had named. */
  hammered: number
}

const WINDOW = 10_000

type Period = Readonly<{ from: string; to: string }>

const monthsIn = ({ from, to }: Period) =>
  Math.max(1, Math.ceil((Date.parse(to) - Date.parse(from)) / (31 * 24 * 60 * 60 * 1000)))

/** Without `units` everything is answered, as in the emulator of `npm start`. */
export class QuotaKeeper {
  readonly settings: Quota = { units: undefined, hammered: 0 }
  readonly #now: () => number
  #spent: { at: number; units: number }[] = []
  #closedUntil = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Spends units for the months of a period. Throws an ApiRefusal (429). */
  spend(period: Period): void {
    const { units } = this.settings
    if (units === undefined) return
    const months = monthsIn(period)
    const now = this.#now()
    if (now < this.#closedUntil) this.settings.hammered += 1
    this.#spent = this.#spent.filter(({ at }) => at + WINDOW > now)
    const used = this.#spent.reduce((sum, one) => sum + one.units, 0)
    if (used === 0 || used + months <= units) {
      this.#spent.push({ at: now, units: months })
      return
    }
    const last = this.#spent.at(-1)?.at ?? now
    const seconds = Math.ceil((last + WINDOW - now) / 1000)
    this.#closedUntil = now + seconds * 1000
    throw tooMany({ 'x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after': String(seconds) })
  }
}
