import type { ToolAnnotations } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { AdminId } from '../auth/groups.ts'
import type { RoleHolder } from '../auth/services.ts'
import type { UserId } from '../auth/verifier.ts'
import type { CostManagement } from '../costs/cost-management.ts'
import type { DocumentIndex } from '../documents/document-index.ts'
import { CursorInvalid, IdempotencyConflict, type Store, StoreUnavailable } from '../store/expenses.ts'
import type { Statistics } from '../store/statistics.ts'
import { isStoreRefusal } from '../store/store-failure.ts'
import { type AuditEntry, decide } from '../telemetry/audit.ts'
import { faultFields } from '../telemetry/fault.ts'
import type { Log } from '../telemetry/log.ts'
import type { OnBehalf } from './downstream.ts'
import { ToolRefusal } from './refusal.ts'

/** What a tool works with: the verified caller, never an argument of the model, says whose data it is. */
export type ToolContext = Surroundings &
  OnBehalf &
  Readonly<{
    user: UserId
    /** Present only when the caller was found in the admin group. */
    admin: AdminId | undefined
    store: Store
    costs: CostManagement
    documents: DocumentIndex
  }>

/** What a tool works with when a service calls it: there is no user, and nothing that belongs to one. */
export type ServiceContext = Surroundings &
  Readonly<{
    /** Present only when the service holds the role that the tool asks of services. */
    holder: RoleHolder | undefined
  }>

type Surroundings = Readonly<{
  statistics: Statistics
  log: Log
  requestId: string
  /** Where the client wants to hear how far a long call is. */
  report?: Report | undefined
  /** Aborted when nobody waits for the answer any more. */
  gone?: AbortSignal
  /** Where a tool that failed says so. */
  entry: Pick<AuditEntry, 'outcome' | 'decision' | 'reason'>
}>

/**
 * `structured` is checked against the tool's output; `text` says the same for people, where its JSON does not; `file`
 * goes with the answer as an embedded resource.
 */
type Answer<Output extends z.ZodObject> = Readonly<{
  structured: z.infer<Output>
  text?: string
  file?: ToolFile
}>

/** Says how far a call is; `progress` grows, up to `total` where that is known. */
export type Report = (progress: number, total?: number, message?: string) => void

type Definition<Input extends z.ZodObject, Output extends z.ZodObject> = Readonly<{
  name: string
  title: string
  description: string
  annotations: ToolAnnotations
  input: Input
  output: Output
  run: (input: z.infer<Input>, context: ToolContext) => Promise<Answer<Output>>
  /** What it does for a service; without it, no `serviceRole` in infra/permissions.json may name the tool. */
  runForService?: (input: z.infer<Input>, context: ServiceContext) => Promise<Answer<Output>>
}>

/** `uri` names it and can be read nowhere; `text` is the whole of it. */
export type ToolFile = { uri: string; mimeType: string; text: string }

/**
 * A tool's result as both eras write it: text for people and models, the same facts as data, a file, or an error in
 * words.
 */
export type ToolResult = {
  content: ({ type: 'text'; text: string } | { type: 'resource'; resource: ToolFile })[]
  structuredContent?: Record<string, unknown>
  isError?: true
}

export type Tool = Readonly<{
  /** What it was defined by, for other servers that offer the same. */
  definition: Readonly<
    Pick<
      Definition<z.ZodObject, z.ZodObject>,
      'name' | 'title' | 'description' | 'annotations' | 'input' | 'output'
    >
  >
  /** The tool's entry in a tools/list answer, made once: its schemas would dominate every such request. */
  listed: Readonly<{
    name: string
    title: string
    description: string
    inputSchema: object
    outputSchema: object
  }>
  /** Never throws: what goes wrong is a result with `isError`, in words that a caller may read. */
  call: (args: unknown, context: ToolContext) => Promise<ToolResult>
  callForService?: (args: unknown, context: ServiceContext) => Promise<ToolResult>
}>

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Definition<Input, Output>,
): Tool {
  const { name, title, description, annotations, input, output, run, runForService } = tool
  const listed = {
    name,
    title,
    description,
    annotations,
    inputSchema: z.toJSONSchema(input, { io: 'input', target: 'draft-7' }),
    outputSchema: z.toJSONSchema(output, { target: 'draft-7' }),
  }
  const answering =
    <Context extends Surroundings>(
      work: (input: z.infer<Input>, context: Context) => Promise<Answer<Output>>,
    ) =>
    async (args: unknown, context: Context) => {
      const parsed = input.safeParse(args ?? {})
      if (!parsed.success)
        return toolError(`Invalid arguments for ${name}:\n${z.prettifyError(parsed.error)}`)
      try {
        const { structured, text, file } = await work(parsed.data, context)
        const structuredContent = output.parse(structured)
        return {
          content: [
            { type: 'text' as const, text: text ?? inOneLine(structuredContent) },
            ...(file ? [{ type: 'resource' as const, resource: file }] : []),
          ],
          structuredContent,
        }
      } catch (error) {
        return toolError(messageFor(error, context, annotations.readOnlyHint !== true))
      }
    }
  return {
    definition: { name, title, description, annotations, input, output },
    listed,
    call: answering(run),
    ...(runForService && { callForService: answering(runForService) }),
  }
}

/** The same facts for clients that read text only, in which nothing that a user wrote looks like a line of ours. */
const inOneLine = (value: unknown) =>
  JSON.stringify(value).replace(
    LINE_BREAKS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** What JSON leaves as it is and a terminal or an editor breaks or turns a line at. */
const LINE_BREAKS = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

export const toolError = (text: string): ToolResult => ({
  content: [{ type: 'text', text }],
  isError: true,
})

/** A fault of ours, in words that give nothing away. */
export const failed = (requestId: string) =>
  `The tool failed. The operator finds the cause under request ${requestId}.`

/**
 * What a caller may read of a tool's error, which is noted in the log and the audit entry. The SDK would send any
 * error's message to the client: only our own refusals may pass. `writes`: the call may have been carried out all the
 * same.
 */
export function messageFor(
  error: unknown,
  { log, requestId, entry }: Pick<Surroundings, 'log' | 'requestId' | 'entry'>,
  writes = false,
): string {
  if (error instanceof CursorInvalid || error instanceof IdempotencyConflict) return error.message
  if (error instanceof StoreUnavailable) {
    entry.outcome = 'refused_by_store'
    log.warn('The store is not available.', { ...faultFields(error), request_id: requestId })
    const again = `The expenses cannot be reached at the moment. Try again in ${error.retryAfterSeconds} seconds`
    return writes
      ? `${again}; before you repeat an add without an idempotency_key, list the expenses: it may have been saved.`
      : `${again}.`
  }
  if (error instanceof ToolRefusal) {
    if (error.decision) decide(entry, ...error.decision)
    entry.outcome = error.outcome
    if (error.cause)
      log.warn('A downstream API failed.', { ...faultFields(error.cause), request_id: requestId })
    return error.message
  }
  entry.outcome = isStoreRefusal(error) ? 'refused_by_store' : 'failed'
  log.fault(error, { request_id: requestId })
  return failed(requestId)
}
