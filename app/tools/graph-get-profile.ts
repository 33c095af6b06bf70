import { z } from 'zod'
import type { Ask } from './downstream.ts'
import { defineTool } from './tool.ts'

const nullable = z.string().nullish()

/** Microsoft Graph, `GET /me`: what User.Read shows of a user, `null` where the directory knows nothing. */
const Me = z.object({
  id: z.guid(),
  displayName: nullable,
  userPrincipalName: nullable,
  mail: nullable,
  jobTitle: nullable,
  officeLocation: nullable,
  preferredLanguage: nullable,
})

export const GraphProfile = z.object({
  id: z.string(),
  name: z.string().optional(),
  user_name: z.string().optional(),
  mail: z.string().optional(),
  job_title: z.string().optional(),
  office: z.string().optional(),
  language: z.string().optional(),
})

/** Who the caller is, as Microsoft Graph says it. What the directory does not know is left out. */
export async function graphProfile(ask: Ask): Promise<z.infer<typeof GraphProfile>> {
  const path = `/v1.0/me?$select=${Object.keys(Me.shape).join(',')}`
  const { id, ...me } = await ask('graph', { path, answer: Me })
  return {
    id,
    name: me.displayName ?? undefined,
    user_name: me.userPrincipalName ?? undefined,
    mail: me.mail ?? undefined,
    job_title: me.jobTitle ?? undefined,
    office: me.officeLocation ?? undefined,
    language: me.preferredLanguage ?? undefined,
  }
}

export const graphGetProfile = defineTool({
  name: 'graph_get_profile',
  title: 'Your profile',
  description: "The signed-in user's own profile in Microsoft Entra ID.",
  annotations: { readOnlyHint: true, openWorldHint: true },
  input: z.strictObject({}),
  output: GraphProfile,
  run: async (_input, { ask }) => ({ structured: await graphProfile(ask) }),
})
