import type { Request, Response } from 'express'
import type { Verdict } from '../auth/authorize.ts'
import type { Permissions } from '../permissions.ts'
import { allTools } from '../tools/all.ts'
import {
  type ServiceContext,
  type Tool,
  type ToolContext,
  type ToolResult,
  toolError,
} from '../tools/tool.ts'
import { isPlainlyModern, LEGACY, MODERN, SERVER } from './eras.ts'
import type { Message, RequestId } from './message.ts'
import { info, listCache, type Offer, unknownTool } from './offer.ts'
import { finish, reporterFor } from './progress.ts'
import type { Posted } from './transport.ts'

/** The tools of one role, and the answer to tools/list in each era: a text that is made once. */
type Role = Readonly<{ tools: ReadonlyMap<string, Tool>; lists: Readonly<Record<Posted['era'], string>> }>

/** The MCP server: stateless, with just the tools that each caller may see. */
export class McpServer {
  readonly #all: readonly Tool[]
  readonly #forUsers: Role
  readonly #forAdmins: Role

  /** Offers the tools of the selected sets. Throws when the code has not all of them, or nothing for services. */
  constructor({ tools }: Permissions) {
    const offered = tools.map(({ name, admin }) => ({ tool: toolNamed(name), admin }))
    const unable = tools.find(({ name, serviceRole }) => serviceRole && !toolNamed(name).callForService)
    if (unable)
      throw new Error(
        `infra/permissions.json: tool ${unable.name} has a serviceRole, but its code has nothing for services.`,
      )
    this.#all = offered.map(({ tool }) => tool)
    this.#forUsers = roleWith(offered.filter(({ admin }) => !admin).map(({ tool }) => tool))
    this.#forAdmins = roleWith(this.#all)
  }

  /**
   * Answers one judged message as JSON; nothing waits for a client that has hung up. Lists and calls of tools are
   * answered here, for what a request costs (docs/benchmark.md); the rest by the SDK of the message's era.
   * Throws Refusal for what that SDK refuses.
   */
  async answer(
    message: Posted,
    [request, response]: [Request, Response],
    context: Context,
    verdict: Verdict,
  ): Promise<void> {
    const { toolError: refused, challenge } = verdict
    if (challenge) response.set(challenge)
    const { era, id, method, call } = message
    const role = this.#roleOf(verdict, context, call !== undefined)
    // Without sessions a notification changes nothing.
    if (era === LEGACY && id === undefined) return void response.status(202).end()
    if (id !== undefined && (era === LEGACY || isPlainlyModern(request.headers, message))) {
      if (method === 'tools/list') return send(response, id, `"result":${role.lists[era]}`)
      if (call) {
        const report = reporterFor(message, request, response)
        const work = { ...context, report, gone: goneOf(response) }
        return send(response, id, outcome(era, call.name, await run(role, call, work, refused)))
      }
    }
    // Loaded when first needed: a list must not wait for them after a cold start.
    if (era === LEGACY) return (await import('./legacy.ts')).answer(message, response)
    const offer: Offer = {
      tools: [...role.tools.values()].map(({ listed }) => listed),
      call: (named) => run(role, named, context, refused),
    }
    return (await import('./modern.ts')).answer(message, request, response, offer)
  }

  #roleOf({ mayBeAdmin, service }: Verdict, context: Context, isCall: boolean): Role {
    if (!('user' in context))
      return roleWith(this.#all.filter(({ listed }) => service?.offered.has(listed.name)))
    // Whoever may be an admin sees what there is; calls are judged, and get here with the proof only.
    return context.admin || (mayBeAdmin && !isCall) ? this.#forAdmins : this.#forUsers
  }
}

/** Of a user, or of a service. */
type Context = ToolContext | ServiceContext

function toolNamed(name: string): Tool {
  const tool = allTools.find(({ listed }) => listed.name === name)
  if (tool) return tool
  throw new Error(`Tool ${name} of infra/permissions.json is not in app/tools/all.ts.`)
}

const roleWith = (offered: readonly Tool[]): Role => {
  const listed = { tools: offered.map((tool) => tool.listed) }
  return {
    tools: new Map(offered.map((tool) => [tool.listed.name, tool])),
    lists: {
      [LEGACY]: JSON.stringify(listed),
      [MODERN]: JSON.stringify({ ...listed, ...listCache, ...complete }),
    },
  }
}

function run(
  { tools: offered }: Role,
  { name, args }: NonNullable<Message['call']>,
  context: Context,
  refused: string | undefined,
): Promise<ToolResult> | undefined {
  if (refused) return Promise.resolve(toolError(refused))
  const tool = offered.get(name)
  return 'user' in context ? tool?.call(args, context) : tool?.callForService?.(args, context)
}

/** Every modern result says that it is whole, and whose it is. */
const complete = { resultType: 'complete', _meta: { [SERVER]: info } }

const outcome = (era: Posted['era'], name: string, result: ToolResult | undefined) =>
  result
    ? `"result":${JSON.stringify(era === MODERN ? { ...result, ...complete } : result)}`
    : `"error":${JSON.stringify(unknownTool(name))}`

/** Aborted when the client hangs up before it has its answer: nobody needs what a tool would still ask others for. */
function goneOf(response: Response): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone.signal
}

function send(response: Response, id: RequestId, member: string): void {
  finish(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${member}}`)
}
