/** Ids that the azd environment names: are they there, and of a kind that can work? */
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import type { Directory } from '../graph/directory.ts'
import { ifAllowed, isForbidden } from '../graph/directory-error.ts'

const Found = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  securityEnabled: z.boolean().nullish(),
})
const Member = z.object({ '@odata.type': z.string(), displayName: z.string().nullish() })

const NOUNS = {
  groups: 'a group',
  users: 'a user',
  servicePrincipals: 'a service principal',
  applications: 'an app registration',
} as const
type Noun = keyof typeof NOUNS
const KINDS: Noun[] = ['groups', 'users', 'servicePrincipals', 'applications']

/** What has this id. `closed`: kinds that this caller may not read, so that an empty answer proves nothing. */
async function lookUp(directory: Directory, id: string) {
  const closed: Noun[] = []
  const read = async (kind: Noun) => {
    try {
      const more = kind === 'groups' ? ',securityEnabled' : ''
      const found = await directory.get(`/${kind}/${id}?$select=id,displayName${more}`, Found)
      return found && { ...found, kind }
    } catch (error) {
      if (!isForbidden(error)) throw error
      closed.push(kind)
      return undefined
    }
  }
  const all = await Promise.all(KINDS.map(read))
  return { here: all.find((one) => one !== undefined), closed }
}

const said = ({ here, closed }: Awaited<ReturnType<typeof lookUp>>) => {
  if (here) return `${NOUNS[here.kind]} ("${here.displayName ?? ''}")`
  return closed.length > 0 ? 'nothing that you may read' : 'nobody'
}

/** Groups in the group: their members see the admin tools, but are not assigned to the apps. */
async function nestedIn(directory: Directory, id: string): Promise<string> {
  const reading = directory.list(`/groups/${id}/members?$select=id,displayName`, Member)
  // Of whoever may not read them only a note is lost.
  const members = (await ifAllowed(reading)) ?? []
  const nested = members.filter((one) => one['@odata.type'] === '#microsoft.graph.group')
  return nested.map(({ displayName }) => `"${displayName ?? ''}"`).join(', ')
}

const NESTED =
  'members of nested groups are not assigned to an app, so that they get no token: add them directly'

export async function checkGroup({ directory, environment }: Context): Promise<string | undefined> {
  const { EXISTING_ADMIN_GROUP_ID: id, RESTRICT_TO_ASSIGNED_USERS: restricted } = environment
  if (!id) return 'made by the deployment'
  const looked = await lookUp(directory, id)
  const { here } = looked
  if (!here && looked.closed.includes('groups')) return 'cannot be told, because you may not read groups'
  const isGroup = here?.kind === 'groups'
  if (!isGroup || (restricted && here.securityEnabled === false))
    throw new Problem({
      what: `EXISTING_ADMIN_GROUP_ID ${id} is ${said(looked)}${isGroup ? ' that is not security-enabled' : ', not a group'}.`,
      why: isGroup
        ? 'Entra assigns security-enabled groups only to an app.'
        : 'It could not be assigned to the apps, and nobody would be an admin.',
      fix: 'azd env set EXISTING_ADMIN_GROUP_ID <object id of a security group>    (or "": the deployment makes one)',
    })
  const nested = restricted && (await nestedIn(directory, id))
  return nested ? `yes, but ${nested} in it: ${NESTED}` : undefined
}

/** Users, groups and service principals may be members; what Entra would refuse, or what is not there, may not. */
export async function checkMembers({ directory, environment }: Context): Promise<string | undefined> {
  const { ADMIN_MEMBERS: ids, EXISTING_ADMIN_GROUP_ID, RESTRICT_TO_ASSIGNED_USERS: restricted } = environment
  if (EXISTING_ADMIN_GROUP_ID) return 'an existing group keeps its own'
  // What is no id at all is the parameters' matter.
  const guids = ids.filter((id) => z.guid().safeParse(id).success)
  const all = await Promise.all(guids.map(async (id) => ({ id, looked: await lookUp(directory, id) })))
  const wrong = all.filter(({ looked: { here, closed } }) =>
    here ? here.kind === 'applications' : closed.length === 0,
  )
  if (wrong.length > 0)
    throw new Problem({
      what: `ADMIN_MEMBERS: ${wrong.map(({ id, looked }) => `${id} is ${said(looked)}`).join('; ')}.`,
      why: 'Members of a group are users, groups and service principals, by their object ids; an app registration has a service principal for that.',
      fix: 'azd env set ADMIN_MEMBERS <object ids, separated by commas>    (az ad user show --id <name> --query id)',
    })
  const of = (kind?: Noun) => all.filter(({ looked }) => looked.here?.kind === kind)
  const unknown = of().map(({ id }) => `${id} cannot be told, because you may not read users`)
  const groups = restricted ? of('groups').map(({ looked }) => `${said(looked)}: ${NESTED}`) : []
  const apps = of('servicePrincipals').map(
    ({ looked }) => `${said(looked)} calls without a user, so that no admin tool is shown to it`,
  )
  return [...unknown, ...groups, ...apps].join('; ') || undefined
}
