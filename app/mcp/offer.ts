import type { ToolResult } from '../tools/tool.ts'
import type { Message } from './message.ts'

export const info = { name: 'expenses', title: 'Expenses', version: '1.0.0' }
/** True of every tool set and of every tool of one's own: what a tool does, it says itself. */
export const instructions =
  'Every tool acts as the signed-in caller and shows what that caller may see; tools that they may not call are not listed.'
/** How long a client may keep a list of tools; never for another user, whose list can differ. */
export const listCache = { ttlMs: 60_000, cacheScope: 'private' } as const

/** What one caller is offered in one request, whichever server answers it. */
export type Offer = Readonly<{
  /** The entries of a tools/list. */
  tools: readonly unknown[]
  /** Undefined: there is no such tool, for this caller. */
  call: (call: NonNullable<Message['call']>) => Promise<ToolResult> | undefined
}>

/** Specification, "Tools", "Error Handling", in both eras: an unknown tool is an error of the protocol. */
export const unknownTool = (name: string) => ({ code: -32602, message: `Unknown tool: ${name}` })
