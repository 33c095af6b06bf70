import { randomBytes } from 'node:crypto'

export type Ticket<T> = { value: T; expiresAt: number; used: boolean }

/** Opaque strings that stand for something we remember: codes, refresh tokens, pages half filled in. */
export class Tickets<T> {
  readonly #tickets = new Map<string, Ticket<T>>()
  readonly #lifetime: number
  readonly #now: () => number

  /** `lifetime` in milliseconds. */
  constructor(lifetime: number, now: () => number) {
    this.#lifetime = lifetime
    this.#now = now
  }

  issue(value: T): string {
    const name = `1.${randomBytes(48).toString('base64url')}`
    this.#tickets.set(name, { value, expiresAt: this.#now() + this.#lifetime, used: false })
    return name
  }

  /** Expired and used ones too: the refusal differs. */
  find(name: string): Ticket<T> | undefined {
    return this.#tickets.get(name)
  }

  findBy(matches: (value: T) => boolean): Ticket<T> | undefined {
    return [...this.#tickets.values()].find(({ value }) => matches(value))
  }

  isExpired({ expiresAt }: Ticket<T>): boolean {
    return this.#now() >= expiresAt
  }
}
