import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import {
  type CallToolResult,
  type Tool as ListedTool,
  type ToolAnnotations,
  ToolSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { CursorInvalid, type ExpenseStore, IdempotencyConflict, StoreUnavailable } from '../expenses.ts'
import type { AdminId } from '../groups.ts'
import { describe, type Log } from '../log.ts'
import type { UserId } from '../verifier.ts'

/** What a tool works with: the verified caller, never an argument of the model, says whose data it is. */
export type ToolContext = Readonly<{
  user: UserId
  /** Present only when the caller was found in the admin group. */
  admin: AdminId | undefined
  store: ExpenseStore
  log: Log
  requestId: string
}>

type Definition<Input extends z.ZodObject, Output extends z.ZodObject> = Readonly<{
  name: string
  title: string
  description: string
  annotations: ToolAnnotations
  input: Input
  output: Output
  /** `structured` is checked against `output`; `text` says the same for people. */
  run: (input: z.infer<Input>, context: ToolContext) => Promise<{ structured: z.infer<Output>; text: string }>
}>

export type Tool = Readonly<{
  /** The tool's entry in a tools/list answer, computed once: it would dominate every such request. */
  listed: ListedTool
  register: (server: McpServer, context: ToolContext) => void
}>

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Definition<Input, Output>,
): Tool {
  const { name, title, description, annotations, input, output, run } = tool
  const config = { title, description, annotations, inputSchema: input, outputSchema: output }
  const register = (server: McpServer, context: ToolContext) => {
    server.registerTool<z.ZodObject, z.ZodObject>(name, config, async (args): Promise<CallToolResult> => {
      try {
        const { structured, text } = await run(input.parse(args), context)
        return { content: [{ type: 'text', text }], structuredContent: structured }
      } catch (error) {
        return toolError(messageFor(error, context))
      }
    })
  }
  const listed = ToolSchema.parse({
    name,
    title,
    description,
    annotations,
    inputSchema: z.toJSONSchema(input, { io: 'input', target: 'draft-7' }),
    outputSchema: z.toJSONSchema(output, { target: 'draft-7' }),
  })
  return { listed, register }
}

export const toolError = (text: string): CallToolResult => ({
  content: [{ type: 'text', text }],
  isError: true,
})

/** The SDK would send any error's message to the client: only our own refusals may pass. */
function messageFor(error: unknown, { log, requestId }: ToolContext): string {
  if (error instanceof CursorInvalid || error instanceof IdempotencyConflict) return error.message
  if (error instanceof StoreUnavailable) {
    log.warn('The store is not available.', { request_id: requestId })
    return `The expenses cannot be reached at the moment; nothing is lost. Try again in ${error.retryAfterSeconds} seconds.`
  }
  log.error(describe(error), { request_id: requestId })
  return `The tool failed. The operator finds the cause under request ${requestId}.`
}
