import type { Message } from '../mcp/message.ts'
import { basicScopes, fullScope } from '../metadata.ts'
import type { DownstreamApi, Permissions, ToolPermission } from '../permissions.ts'
import { type AuditEntry, type Decision, decide } from '../telemetry/audit.ts'
import { faultFields } from '../telemetry/fault.ts'
import type { Log } from '../telemetry/log.ts'
import type { Tokens } from '../tools/downstream.ts'
import { ToolRefusal } from '../tools/refusal.ts'
import { failed } from '../tools/tool.ts'
import { claimsMissing, FURTHER_PROOF, scopeMissing, tokenRefused } from './challenge.ts'
import {
  AssertionRefused,
  ConsentMissing,
  DownstreamUnavailable,
  StepUpRequired,
  type UserBar,
  UserRefused,
} from './downstream.ts'
import type { AdminGroup, AdminId } from './groups.ts'
import type { OnBehalfOf } from './obo.ts'
import type { ServiceAccess, ServiceOffer } from './services.ts'
import { type Bearer, type Caller, isService } from './verifier.ts'

/** What the caller may do with this one message. */
export type Verdict = Readonly<{
  /** Set when the caller was found in the admin group (asked only where it matters). */
  admin?: AdminId | undefined
  /** Nothing but a step-up keeps the caller from being asked about: the list shows what a call is then judged for. */
  mayBeAdmin?: true
  /** Set for a service, which has no user. */
  service?: ServiceOffer
  /** Of the downstream APIs that the tool names. */
  tokens?: Tokens
  /** Set when the named tool cannot be used now: the text of the tool error. */
  toolError?: string
  /** Headers of an answer that refuses in words what some clients can ask their user for. */
  challenge?: Readonly<Record<string, string>>
}>

export type Services = Readonly<{
  permissions: Permissions
  serverUrl: string
  obo: OnBehalfOf
  adminGroup: AdminGroup
  serviceAccess: ServiceAccess
  log: Log
}>

type Asked = Readonly<{ bearer: Bearer; mcpUrl: string; entry: AuditEntry }>
type Request = Readonly<{ caller: Caller; mcpUrl: string; entry: AuditEntry }>

const UNKNOWN_FOR_MS = 10_000
/** What the user's sign-in or the tenant's policy says; the server works as it should. */
const OF_THE_USER = [StepUpRequired, AssertionRefused, UserRefused]
const EXPECTED = [...OF_THE_USER, ConsentMissing, DownstreamUnavailable]

const BARRED: Readonly<Record<UserBar, string>> = {
  account_disabled: 'your account is disabled. An administrator of your organisation can enable it.',
  not_assigned:
    'you are not assigned to this application. An administrator can assign you or your group to it.',
  blocked_by_policy: 'a policy of your organisation blocks this sign-in. Ask an administrator.',
}

const isOneOf = (kinds: readonly (new (...args: never[]) => Error)[], error: unknown) =>
  kinds.some((kind) => error instanceof kind)

type Exchanged = NonNullable<AuditEntry['obo']>
const GRAVITY: readonly Exchanged[] = ['cache', 'fetched', 'refused', 'failed']

/** A call may exchange its token more than once: the line says the worst that came of it. */
function noteExchange(entry: AuditEntry, now: Exchanged): void {
  if (!entry.obo || GRAVITY.indexOf(now) > GRAVITY.indexOf(entry.obo)) entry.obo = now
}

/**
 * May this caller make this call? Decided from infra/permissions.json before any MCP answer starts,
 * because a tool can no longer answer 401 or 403. Throws Refusal for those; a tool that is refused for
 * another reason comes back as `toolError`.
 */
export class Authorizer {
  readonly #services
  readonly #tools
  /** A client lists tools often: a membership that could not be found out is not asked for every time. */
  readonly #unknown = new WeakMap<Caller, { until: number; verdict: Verdict }>()

  constructor(services: Services) {
    this.#services = services
    this.#tools = new Map(services.permissions.tools.map((tool) => [tool.name, tool]))
  }

  async judge(message: Message, { bearer, mcpUrl, entry }: Asked): Promise<Verdict> {
    if (isService(bearer)) return this.#services.serviceAccess.judge(message, bearer, entry)
    return this.#judgePerson(message, { caller: bearer, mcpUrl, entry })
  }

  async #judgePerson({ id, method, call }: Message, request: Request): Promise<Verdict> {
    if (id !== undefined && method === 'tools/list') return this.#judgeList(request)
    if (!call) {
      decide(request.entry, 'accept', 'protocol')
      return {}
    }
    const tool = this.#tools.get(call.name)
    // An unknown name is the caller's text: it is answered by the MCP server and not logged.
    request.entry.tool = tool?.name ?? 'unknown'
    if (tool) return this.#judgeCall(tool, request)
    decide(request.entry, 'accept', 'unknown_tool')
    return {}
  }

  async #judgeCall(tool: ToolPermission, request: Request): Promise<Verdict> {
    this.#requireScope(tool, request)
    const missing = this.#missingRole(tool, request)
    if (missing) return { toolError: missing }
    try {
      const tokens = await this.#tokensOf(tool, request)
      const admin = tool.admin ? await this.#admin(request) : undefined
      if (tool.admin && !admin) decide(request.entry, 'deny:group', 'not_admin')
      else decide(request.entry, 'accept', 'tool')
      return { admin, ...(tokens.size > 0 && { tokens }) }
    } catch (error) {
      if (error instanceof StepUpRequired) return this.#stepUp(error, request)
      const { message, decision, outcome } = this.#explain(error, tool, request)
      if (decision) decide(request.entry, ...decision)
      if (outcome !== 'refused') request.entry.outcome = outcome
      return { toolError: message }
    }
  }

  /** All at the same time; what one of the tool's `sources` fails with is the tool's to tell. */
  async #tokensOf(tool: ToolPermission, request: Request): Promise<Tokens> {
    const known = ({ name }: DownstreamApi) => tool.sources.includes(name)
    const sources = this.#services.permissions.downstreamApis.filter(known).map(({ name }) => name)
    const optional = sources.filter((name) => !tool.downstreamApis.includes(name))
    const tokens = [
      ...tool.downstreamApis.map(async (name) => [name, await this.#downstreamToken(name, request)] as const),
      ...optional.map(async (name) => [name, await this.#sourceToken(name, tool, request)] as const),
    ]
    return new Map(await Promise.all(tokens))
  }

  /** A step-up is worth asking for only of who can answer it: others are better served without this source. */
  async #sourceToken(name: string, tool: ToolPermission, request: Request): Promise<string | ToolRefusal> {
    try {
      return await this.#downstreamToken(name, request)
    } catch (error) {
      if (!(error instanceof StepUpRequired)) return this.#explain(error, tool, request)
      if (request.caller.handlesClaims) throw error
      return new ToolRefusal(FURTHER_PROOF, {
        outcome: 'refused',
        decision: ['deny:claims', 'insufficient_claims'],
      })
    }
  }

  /** Whoever cannot be shown to be an admin sees no admin tools; everything else works. */
  async #judgeList(request: Request): Promise<Verdict> {
    const { caller, entry } = request
    decide(entry, 'accept', 'list')
    if (!this.#services.permissions.tools.some(({ admin }) => admin)) return {}
    const known = this.#unknown.get(caller)
    if (known && Date.now() < known.until) return known.verdict
    try {
      return { admin: await this.#admin(request) }
    } catch (error) {
      const verdict = error instanceof StepUpRequired ? ({ mayBeAdmin: true } as const) : {}
      this.#unknown.set(caller, { until: Date.now() + UNKNOWN_FOR_MS, verdict })
      this.#note(error, entry)
      decide(entry, 'accept', verdict.mayBeAdmin ? 'list_before_step_up' : 'list_without_admin_tools')
      return verdict
    }
  }

  #requireScope({ scope }: ToolPermission, { caller, mcpUrl }: Request): void {
    if (scope && !caller.scopes.has(fullScope(this.#services.serverUrl, scope))) {
      const missing = fullScope(mcpUrl, scope)
      throw scopeMissing(mcpUrl, missing, basicScopes(mcpUrl, this.#services.permissions))
    }
  }

  /** No sign-in gives a role, so this is no challenge: to many clients a 403 would be one, and to others the end. */
  #missingRole({ role }: ToolPermission, { caller, entry }: Request): string | undefined {
    if (!role || caller.roles.has(role)) return undefined
    decide(entry, 'deny:rbac', 'role_missing')
    return `This tool needs the app role ${role}. Ask an administrator to assign it.`
  }

  #admin(request: Request): Promise<AdminId | undefined> {
    return this.#services.adminGroup.admin(request.caller, () => this.#downstreamToken('graph', request))
  }

  async #downstreamToken(name: string, { caller, entry }: Request): Promise<string> {
    try {
      const { token, source } = await this.#services.obo.tokenFor(caller, this.#api(name))
      noteExchange(entry, source)
      return token
    } catch (error) {
      noteExchange(entry, isOneOf(OF_THE_USER, error) ? 'refused' : 'failed')
      throw error
    }
  }

  #api(name: string): DownstreamApi {
    const api = this.#services.permissions.downstreamApis.find((candidate) => candidate.name === name)
    if (!api) throw new Error(`infra/permissions.json declares no downstream API ${name}.`)
    return api
  }

  /**
   * Conditional Access. No MCP client examined reads `claims` (docs/architecture.md, "When more is asked of the user"): to those that
   * do not say that they do, a 401 would be the end, so they get words, and the challenge as a header.
   */
  #stepUp({ claims }: StepUpRequired, { caller, mcpUrl, entry }: Request): Verdict {
    const challenge = claimsMissing(mcpUrl, basicScopes(mcpUrl, this.#services.permissions), claims)
    if (caller.handlesClaims) throw challenge
    decide(entry, challenge.decision, challenge.reason)
    return { toolError: FURTHER_PROOF, challenge: challenge.headers }
  }

  /** Turns a failure on behalf of the user into a challenge (thrown) or a tool error. */
  #explain(error: unknown, { admin }: ToolPermission, { mcpUrl, entry }: Request): ToolRefusal {
    const scope = basicScopes(mcpUrl, this.#services.permissions)
    if (error instanceof AssertionRefused) throw tokenRefused(mcpUrl, scope, 'assertion', error.message)
    const refused = (message: string, reason: string) =>
      new ToolRefusal(message, { outcome: 'refused', decision: ['deny:rbac', reason] })
    if (error instanceof UserRefused)
      return refused(`This tool is refused: ${BARRED[error.reason]}`, error.reason)
    if (error instanceof ConsentMissing) {
      const missing = error.api.permissions.map(({ value }) => value).join(', ')
      return refused(
        `This tool needs the permission ${missing} of ${error.api.displayName}, which nobody has consented to yet. An administrator grants it with: npm run consent`,
        'consent_missing',
      )
    }
    this.#note(error, entry)
    if (!(error instanceof DownstreamUnavailable))
      return new ToolRefusal(failed(entry.requestId), {
        outcome: 'failed',
        decision: ['deny:rbac', 'downstream_failed'],
      })
    const decision: [Decision, string] = admin
      ? ['deny:group', 'membership_unknown']
      : ['deny:rbac', 'downstream_unavailable']
    return new ToolRefusal(
      `This tool is refused for now: ${error.message} Try again in ${error.retryAfterSeconds} seconds.`,
      { outcome: 'failed', decision },
    )
  }

  /** A wrong credential, say: ours to mend, and no reason to refuse what does not need it. */
  #note(error: unknown, { requestId }: AuditEntry): void {
    const { log } = this.#services
    if (error instanceof DownstreamUnavailable)
      log.warn(error.message, { ...faultFields(error), request_id: requestId })
    else if (!isOneOf(EXPECTED, error)) log.fault(error, { request_id: requestId })
  }
}
