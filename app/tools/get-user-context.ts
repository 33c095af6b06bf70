import { z } from 'zod'
import { decide } from '../telemetry/audit.ts'
import { DevopsProfile, devopsProfile } from './devops-get-profile.ts'
import { GraphProfile, graphProfile } from './graph-get-profile.ts'
import { ToolRefusal } from './refusal.ts'
import { defineTool, messageFor, type ToolContext } from './tool.ts'

type Graph = z.infer<typeof GraphProfile>
type Devops = z.infer<typeof DevopsProfile>
/** What one source says; or why it says nothing; or neither, where its tool set is off. */
type Part<T> = Readonly<{ said?: T; error?: unknown }>

const UserContext = GraphProfile.partial().extend({
  devops: DevopsProfile.partial()
    .optional()
    .describe('In Azure DevOps; name and mail only where they differ from those above'),
  missing: z
    .array(z.object({ source: z.string(), reason: z.string() }))
    .optional()
    .describe('Which source could not be asked, and why'),
})

async function partOf<T>(api: string, { apis }: ToolContext, ask: () => Promise<T>): Promise<Part<T>> {
  if (!apis.has(api)) return {}
  return ask().then(
    (said) => ({ said }),
    (error: unknown) => ({ error }),
  )
}

/** What the directory has said already is not said again. */
function inDevops({ name, mail, ...rest }: Devops, graph: Graph | undefined): Partial<Devops> {
  const known = [graph?.mail, graph?.user_name].map((address) => address?.toLowerCase())
  return {
    ...rest,
    ...(name !== graph?.name && { name }),
    ...(mail && !known.includes(mail.toLowerCase()) && { mail }),
  }
}

export const getUserContext = defineTool({
  name: 'get_user_context',
  title: 'Who you are',
  description:
    'Who the signed-in user is, in one answer from every source that this server may ask, and which of them failed.',
  annotations: { readOnlyHint: true, openWorldHint: true },
  input: z.strictObject({}),
  output: UserContext,
  run: async (_input, context) => {
    const { ask, entry } = context
    const [graph, devops] = await Promise.all([
      partOf('graph', context, () => graphProfile(ask)),
      partOf('devops', context, () => devopsProfile(ask)),
    ])
    const failures = Object.entries({ 'Microsoft Graph': graph.error, 'Azure DevOps': devops.error }).filter(
      ([, error]) => error !== undefined,
    )
    const [first, ...others] = failures
    const isNothing = !graph.said && !devops.said
    // Alone, a failure is what came of the call.
    if (first && isNothing && others.length === 0) throw first[1]
    // Half an answer is one: each failure is noted in the log, and none of them is what came of the call.
    const missing = failures.map(([source, error]) => ({
      source,
      reason: messageFor(error, { ...context, entry: { ...entry } }),
    }))
    if (isNothing && first)
      throw new ToolRefusal(missing.map(({ reason }) => reason).join(' '), {
        outcome: first[1] instanceof ToolRefusal ? first[1].outcome : 'failed',
        ...(first[1] instanceof ToolRefusal && first[1].decision && { decision: first[1].decision }),
      })
    if (first) decide(entry, 'accept', 'partial')
    return {
      structured: {
        ...graph.said,
        ...(devops.said && { devops: inDevops(devops.said, graph.said) }),
        ...(missing.length > 0 && { missing }),
      },
    }
  },
})
