export type Kind =
  | 'application'
  | 'servicePrincipal'
  | 'group'
  | 'federatedIdentityCredential'
  | 'oauth2PermissionGrant'
  | 'appRoleAssignment'
  | 'deletedItem'

/** How late a new object is seen, counted in looks or by the tenant's clock; both never sleep. */
export interface Delay {
  /** So many reads, references and writes by id find nothing. */
  reads?: number
  /** Nothing is found for so long. */
  milliseconds?: number
  /** So many lists still show what was there before the write: no new object, a deleted one, old values. */
  lists?: number
}

interface Item {
  id: string
}

type Lag = { kind: Kind; id: string; before: Item | undefined; left: number }

/**
 * The replicas of the directory. A write reaches one of them at once; others are asked by whoever reads next.
 * Without a delay everything is visible at once.
 */
export class Replication {
  readonly #now: () => number
  readonly #delays = new Map<Kind, Delay>()
  readonly #hidden = new Map<string, { reads: number; until: number }>()
  #lags: Lag[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  /** For objects that are created from now on. */
  slow(kind: Kind, delay: Delay): void {
    this.#delays.set(kind, delay)
  }

  /** Everything is visible, and stays so. */
  catchUp(): void {
    this.#delays.clear()
    this.#hidden.clear()
    this.#lags = []
  }

  created(kind: Kind, id: string): void {
    const { reads = 0, milliseconds } = this.#delays.get(kind) ?? {}
    const until = milliseconds === undefined ? 0 : this.#now() + milliseconds
    if (reads > 0 || until > 0) this.#hidden.set(`${kind} ${id}`, { reads, until })
    this.#lag(kind, id, undefined)
  }

  /** `before`: the object as it was before it was changed or deleted. */
  changed(kind: Kind, before: Item): void {
    this.#lag(kind, before.id, before)
  }

  #lag(kind: Kind, id: string, before: Item | undefined): void {
    const left = this.#delays.get(kind)?.lists ?? 0
    if (left > 0) this.#lags.push({ kind, id, before, left })
  }

  /** Looking counts: after enough looks the object is there. */
  isHidden(kind: Kind, id: string): boolean {
    const hidden = this.#hidden.get(`${kind} ${id}`)
    if (!hidden) return false
    hidden.reads -= 1
    if (hidden.reads >= 0 || this.#now() < hidden.until) return true
    this.#hidden.delete(`${kind} ${id}`)
    return false
  }

  /** What a list shows of these objects now. */
  listed<T extends Item>(kind: Kind, items: readonly T[], isOne: (item: Item) => item is T): T[] {
    const shown = new Map(items.map((item) => [item.id, item]))
    // The oldest lag of an object decides: a list that has not seen the first write has not seen the second.
    for (const lag of this.#lags.filter((one) => one.kind === kind).toReversed()) {
      if (lag.before && isOne(lag.before)) shown.set(lag.id, lag.before)
      else if (!lag.before) shown.delete(lag.id)
      lag.left -= 1
    }
    this.#lags = this.#lags.filter(({ left }) => left > 0)
    return [...shown.values()]
  }
}
