import { z } from 'zod'
import type { Ask } from './downstream.ts'
import { defineTool } from './tool.ts'

/** Azure DevOps REST, "Profiles - Get". `id` is its own, not Entra's. */
const Profile = z.object({
  id: z.guid(),
  displayName: z.string(),
  emailAddress: z.string().nullish(),
  publicAlias: z.guid(),
})

/** Azure DevOps REST, "Accounts - List": organisations are accounts there. */
const Accounts = z.object({ value: z.array(z.object({ accountName: z.string() })) })

const ORGANISATION = 'https://dev.azure.com'

export const DevopsProfile = z.object({
  id: z.string(),
  name: z.string().optional(),
  mail: z.string().optional(),
  organisations: z.array(z.object({ name: z.string(), url: z.string() })),
})

/** Who the caller is in Azure DevOps, with the organisations that they are a member of, by name. */
export async function devopsProfile(ask: Ask): Promise<z.infer<typeof DevopsProfile>> {
  const me = await ask('devops', {
    path: '/_apis/profile/profiles/me?api-version=7.1-preview.3',
    answer: Profile,
  })
  const query = new URLSearchParams({ memberId: me.publicAlias, 'api-version': '7.1-preview.1' })
  const { value } = await ask('devops', { path: `/_apis/accounts?${query}`, answer: Accounts })
  const names = value.map(({ accountName }) => accountName).toSorted((a, b) => a.localeCompare(b))
  return {
    id: me.id,
    name: me.displayName,
    mail: me.emailAddress ?? undefined,
    organisations: names.map((name) => ({ name, url: `${ORGANISATION}/${encodeURIComponent(name)}` })),
  }
}

export const devopsGetProfile = defineTool({
  name: 'devops_get_profile',
  title: 'Your profile in Azure DevOps',
  description: "The signed-in user's own profile in Azure DevOps and the organisations they are a member of.",
  annotations: { readOnlyHint: true, openWorldHint: true },
  input: z.strictObject({}),
  output: DevopsProfile,
  run: async (_input, { ask }) => ({ structured: await devopsProfile(ask) }),
})
