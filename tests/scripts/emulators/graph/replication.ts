import { isDeepStrictEqual } from 'node:util'
import type {
  Application,
  AppRoleAssignment,
  FederatedIdentityCredential,
  Group,
  OAuth2PermissionGrant,
  ServicePrincipal,
} from '../../../../scripts/emulators/directory-objects.ts'
import type { ManagedDirectory } from './managed-directory.ts'

/** What is replicated late, each kind by itself. */
export interface Objects {
  application: Application
  servicePrincipal: ServicePrincipal
  group: Group
  federatedIdentityCredential: FederatedIdentityCredential
  oauth2PermissionGrant: OAuth2PermissionGrant
  appRoleAssignment: AppRoleAssignment
  deletedItem: { id: string }
}
export type Kind = keyof Objects

/** How late a new object is seen, counted in looks or by the tenant's clock; both never sleep. */
interface Delay {
  /** So many reads, references and writes by id find nothing. */
  reads?: number
  /** Nothing is found for so long. */
  milliseconds?: number
  /** So many lists still show what was there before the write: no new object, a deleted one, old values. */
  lists?: number
}

/** Lists that still show an object as it was; undefined when it was not there. */
interface Lag<T> {
  id: string
  before: T | undefined
  left: number
}

const noLags = (): { [K in Kind]: Lag<Objects[K]>[] } => ({
  application: [],
  servicePrincipal: [],
  group: [],
  federatedIdentityCredential: [],
  oauth2PermissionGrant: [],
  appRoleAssignment: [],
  deletedItem: [],
})

const contentOf = (directory: ManagedDirectory): { [K in Kind]: Objects[K][] } => ({
  application: directory.applications,
  servicePrincipal: directory.servicePrincipals,
  group: directory.groups,
  federatedIdentityCredential: directory.applications.flatMap((app) => app.federatedIdentityCredentials),
  oauth2PermissionGrant: directory.oauth2PermissionGrants,
  appRoleAssignment: directory.appRoleAssignments,
  deletedItem: Object.values(directory.deletedItems).flat(),
})

/**
 * The replicas of the directory: a write reaches one of them at once, others are asked by whoever reads next. They are
 * late where a delay says so; without one everything is visible at once.
 */
export class Replication {
  readonly #now: () => number
  readonly #delays = new Map<Kind, Delay>()
  readonly #hidden = new Map<string, { reads: number; until: number }>()
  #lags = noLags()

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
    this.#lags = noLags()
  }

  /** Lets a call work; what it creates, changes and deletes is seen late. */
  around<T>(directory: ManagedDirectory, work: () => T): T {
    if (this.#delays.size === 0) return work()
    const before = structuredClone(contentOf(directory))
    const result = work()
    const after = contentOf(directory)
    for (const kind of this.#delays.keys()) this.#compare(kind, before[kind], after[kind])
    return result
  }

  #compare<K extends Kind>(kind: K, before: readonly Objects[K][], after: readonly Objects[K][]): void {
    const old = new Map(before.map((object) => [object.id, object]))
    for (const object of after) {
      const was = old.get(object.id)
      if (!was) this.created(kind, object.id)
      else if (!isDeepStrictEqual(was, object)) this.#lag(kind, was.id, was)
      old.delete(object.id)
    }
    for (const gone of old.values()) this.#lag(kind, gone.id, gone)
  }

  created(kind: Kind, id: string): void {
    const { reads = 0, milliseconds } = this.#delays.get(kind) ?? {}
    const until = milliseconds === undefined ? 0 : this.#now() + milliseconds
    if (reads > 0 || until > 0) this.#hidden.set(`${kind} ${id}`, { reads, until })
    this.#lag(kind, id, undefined)
  }

  #lag<K extends Kind>(kind: K, id: string, before: Objects[K] | undefined): void {
    const left = this.#delays.get(kind)?.lists ?? 0
    if (left > 0) this.#lags[kind].push({ id, before, left })
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
  listed<K extends Kind>(kind: K, items: readonly Objects[K][]): Objects[K][] {
    const shown = new Map(items.map((item) => [item.id, item]))
    const lags: Lag<Objects[K]>[] = this.#lags[kind]
    // The oldest lag of an object decides: a list that has not seen the first write has not seen the second.
    for (const lag of lags.toReversed()) {
      if (lag.before) shown.set(lag.id, lag.before)
      else shown.delete(lag.id)
      lag.left -= 1
    }
    lags.splice(0, lags.length, ...lags.filter(({ left }) => left > 0))
    return [...shown.values()]
  }
}
