import { EventEmitter } from 'node:events'
import type { JWTPayload } from 'jose'
import { z } from 'zod'
import type { Permissions, ToolPermission } from '../../../app/permissions.ts'
import type { Directory } from '../directory.ts'

/** An audit line of the server (app/telemetry/audit.ts); of lines that were only counted there is less. */
const Decision = z.object({
  time: z.iso.datetime(),
  decision: z.string(),
  reason: z.string(),
  outcome: z.string(),
  duration_ms: z.number().default(0),
  request_id: z.string().default(''),
  oid: z.string().optional(),
  caller: z.string().optional(),
  client: z.string().optional(),
  tool: z.string().optional(),
  obo: z.string().optional(),
  count: z.number().optional(),
})
export type Decision = z.infer<typeof Decision>

/** A decision with what the tenant knows about it. */
export type Call = Readonly<{
  decision: Decision
  /** Claims of the newest token that this caller got through this client for the server. */
  token?: JWTPayload | undefined
  /** Claims of the tokens that the server had in exchange for the user's, one for each API that it needed. */
  exchanged: readonly JWTPayload[]
  /** Those of them that were issued during the call; the others came from the server's cache. */
  fetched: readonly JWTPayload[]
  /** Claims of the token with which the server signed in for the exchange. */
  proof?: JWTPayload | undefined
}>

export const REMEMBERED = 30

/** Lists, initialize and the like: what clients do by themselves, and may do. */
export const isProtocol = ({ decision: { decision, tool, outcome } }: Call): boolean =>
  decision === 'accept' && tool === undefined && outcome === 'done'

const decisionIn = (line: string): Decision | undefined => {
  try {
    return Decision.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}

/** What happens between clients, tenant and server: it hears what is issued and what is decided. */
export class Dashboard {
  readonly directory: Directory
  readonly apiAppId: string
  readonly #permissions: Permissions
  /** `call` after each decision. */
  readonly events = new EventEmitter<{ call: [] }>().setMaxListeners(0)
  #calls: readonly Call[] = []
  /** The newest for each user and client, so no more than there are of those. */
  readonly #tokens = new Map<string, JWTPayload>()
  readonly #exchanged = new Map<string, JWTPayload>()
  /** Milliseconds: `iat` has seconds only, and one call can follow another in the same second. */
  readonly #issuedAt = new WeakMap<JWTPayload, number>()
  #proof: JWTPayload | undefined

  constructor(known: { directory: Directory; apiAppId: string; permissions: Permissions }) {
    this.directory = known.directory
    this.apiAppId = known.apiAppId
    this.#permissions = known.permissions
  }

  /** Newest first. */
  get calls(): readonly Call[] {
    return this.#calls
  }

  /** Told the claims of every token that the tenant signs. */
  readonly issued = (claims: JWTPayload): void => {
    this.#issuedAt.set(claims, Date.now())
    if (claims.aud === this.apiAppId) this.#tokens.set(`${claims.oid} ${claims.azp}`, claims)
    if (claims.scp && [claims.appid, claims.azp].includes(this.apiAppId))
      this.#exchanged.set(`${claims.oid} ${this.directory.resource(String(claims.aud))?.appId}`, claims)
    const credentials = this.directory.application(this.apiAppId)?.federatedIdentityCredentials ?? []
    if (credentials.some(({ subject }) => subject === claims.sub)) this.#proof = claims
  }

  /** Told every line that the server writes; keeps those that are decisions. */
  readonly heard = (line: string): void => {
    const decision = decisionIn(line)
    if (!decision) return
    const { oid, client, obo, time, duration_ms: duration } = decision
    const isExchanged = obo === 'fetched' || obo === 'cache'
    const exchanged = isExchanged ? this.#exchangedFor(decision) : []
    const began = Date.parse(time) - duration
    const call: Call = {
      decision,
      token: this.#tokens.get(`${oid} ${client}`),
      exchanged,
      fetched: exchanged.filter((claims) => (this.#issuedAt.get(claims) ?? 0) >= began),
      proof: isExchanged ? this.#proof : undefined,
    }
    this.#calls = [call, ...this.#calls].slice(0, REMEMBERED)
    this.events.emit('call')
  }

  /** What the called tool needs, as declared; undefined where no tool was called, or none of ours. */
  toolOf({ tool }: Decision): ToolPermission | undefined {
    return this.#permissions.tools.find(({ name }) => name === tool)
  }

  /** As declared for the tool; whoever lists tools is looked up in the admin group by Microsoft Graph. */
  #exchangedFor(decision: Decision): JWTPayload[] {
    const declared = this.toolOf(decision)
    const names = declared ? [...declared.downstreamApis, ...declared.sources] : ['graph']
    return this.#permissions.downstreamApis
      .filter(({ name }) => names.includes(name))
      .map(({ appId }) => this.#exchanged.get(`${decision.oid} ${appId}`))
      .filter((claims) => claims !== undefined)
  }

  /** What people call the thing with this id: a user, an app, its service principal or its address. */
  nameOf(id: unknown): string | undefined {
    const text = String(id)
    const { users, servicePrincipals } = this.directory
    const one = [...users, ...servicePrincipals].find((known) => known.id === text)
    return (one ?? this.directory.application(text) ?? this.directory.resource(text))?.displayName
  }
}
