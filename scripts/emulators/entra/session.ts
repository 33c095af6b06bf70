import { randomBytes } from 'node:crypto'
import type { Application } from '../directory-objects.ts'
import type { Platform } from './redirects.ts'

/** A sign-in that tokens may be issued for: behind every code, refresh token and device code. */
export interface Session {
  clientId: string
  userId: string
  /** As asked for; a later call without `scope` means this one. */
  scope: string
  /** False when a secret, certificate or federated assertion has to come with every redemption. */
  publicClient: boolean
  /** Only a page may redeem it, and no page anything else. */
  spa?: boolean
  /** A second factor was given, so Conditional Access has nothing left to ask. */
  steppedUp: boolean
  redirectUri?: string
  codeChallenge?: string | undefined
  nonce?: string | undefined
}

/** What a `scope` parameter asks for, once every name in it is known to exist. */
export interface ScopeRequest {
  resource: Application
  /** The resource as the caller named it; the audience of v1 tokens. */
  resourceName: string
  /** Short names on the resource; empty with `.default`. */
  scopes: string[]
  isDefault: boolean
  /** openid, profile, email, offline_access, as far as asked for. */
  oidc: string[]
}

export type ResponseMode = 'query' | 'fragment' | 'form_post'

/** Where an answer goes: known before anything else, because refusals go there too. */
export interface ReturnAddress {
  client: Application
  platform: Platform
  redirectUri: string
  responseMode: ResponseMode
  state: string | undefined
}

/** A sign-in that waits for its user. */
export interface PendingSignIn {
  address: ReturnAddress
  scope: string
  request: ScopeRequest
  codeChallenge?: string | undefined
  nonce?: string | undefined
  steppedUp: boolean
  /** Whoever signs in does it to consent for everybody, and gets no code. */
  consents?: boolean
}

export interface DeviceCode {
  clientId: string
  userCode: string
  scope: string
  resource: string | undefined
  polledAt: number
  /** The second factor was demanded, and given on the page. */
  steppedUp: boolean
  outcome: 'pending' | 'declined' | { userId: string }
}

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
