import { Refusal } from '../http/refusal.ts'
import type { Message } from '../mcp/message.ts'
import type { Permissions } from '../permissions.ts'
import { type AuditEntry, decide } from '../telemetry/audit.ts'
import type { ServiceCaller } from './verifier.ts'

declare const roleHolder: unique symbol

/** Proof that a service holds the app role that the tool it calls asks of services; only this module makes one. */
export type RoleHolder = string & { readonly [roleHolder]: true }

/** What a service is offered with one message. */
export type ServiceOffer = Readonly<{
  /** Names of the tools that it is offered. */
  offered: ReadonlySet<string>
  /** Set when it may run the tool that it calls. */
  holder?: RoleHolder
}>

/**
 * What a service may call: the tools whose `serviceRole` in infra/permissions.json was assigned to it, and nothing
 * else. Nothing is exchanged for it (AADSTS7000114), and no user's data can be reached: it has no user id.
 */
export class ServiceAccess {
  readonly #permissions: Permissions

  constructor(permissions: Permissions) {
    this.#permissions = permissions
  }

  /** Throws Refusal (403) for a service that may call nothing: no sign-in would change that, so it is no challenge. */
  require({ roles }: ServiceCaller): void {
    const known = new Set(this.#permissions.tools.flatMap(({ serviceRole }) => serviceRole ?? []))
    if ([...known].some((role) => roles.has(role))) return
    const error_description =
      known.size === 0
        ? 'This server has no tools for services. Sign in as a person.'
        : `This service needs one of these app roles: ${[...known].join(', ')}. Ask an administrator to assign it.`
    const body = { error: 'access_denied', error_description }
    throw new Refusal({ status: 403, decision: 'deny:rbac', reason: 'service_role_missing', body })
  }

  /** `toolError`: the text of a refusal. */
  judge(
    { id, method, call }: Message,
    { serviceId, roles }: ServiceCaller,
    entry: AuditEntry,
  ): { service: ServiceOffer; toolError?: string } {
    const { tools } = this.#permissions
    const mine = tools.filter(({ serviceRole }) => serviceRole && roles.has(serviceRole))
    const offered = new Set(mine.map(({ name }) => name))
    if (!call) {
      decide(entry, 'accept', id !== undefined && method === 'tools/list' ? 'list' : 'protocol')
      return { service: { offered } }
    }
    const tool = tools.find(({ name }) => name === call.name)
    entry.tool = tool?.name ?? 'unknown'
    if (tool && offered.has(tool.name)) {
      decide(entry, 'accept', 'tool')
      // The only place where a role holder is made.
      return { service: { offered, holder: serviceId as string as RoleHolder } }
    }
    if (tool) decide(entry, 'deny:rbac', 'not_for_this_service')
    else decide(entry, 'accept', 'unknown_tool')
    return { service: { offered }, ...(tool && { toolError: refusalOf(tool.serviceRole) }) }
  }
}

const refusalOf = (serviceRole: string | undefined) =>
  serviceRole
    ? `This tool needs the app role ${serviceRole}. Ask an administrator to assign it to this service.`
    : 'This tool is for people: it works with the data or the rights of a signed-in user, and a service has none.'
