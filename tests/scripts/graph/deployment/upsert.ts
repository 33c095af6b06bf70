import { z } from 'zod'
import type { GraphType } from '../../../../scripts/bicep/declared.ts'
import type { Json } from '../../../../scripts/bicep/template.ts'
import { type DeployingClient, DeploymentError, type GraphObject } from './graph-client.ts'

export type Properties = Record<string, Json>

const quoted = (value: Json | undefined) => `'${encodeURIComponent(String(value).replaceAll("'", "''"))}'`
const CREATE = { prefer: 'create-if-missing' }

const Relationship = z.object({
  relationships: z.array(z.string()),
  relationshipSemantics: z.enum(['append', 'replace']).default('append'),
})
const Identified = z.looseObject({ id: z.string() })

/** Brings one declared object about; returns it as Graph shows it then. */
type Upsert = (client: DeployingClient, target: string, properties: Properties) => Promise<GraphObject>

/** PATCH by key with `Prefer: create-if-missing`, then members and owners, then a look at the result. */
const byKey =
  (noun: string, key: string): Upsert =>
  async (client, target, properties) => {
    // The extension uploads a logo in a request of its own, which no object shows afterwards.
    const { members, owners, logo: _, [key]: value, ...body } = properties
    const path = `/${noun}(${key}=${quoted(value)})`
    const { isNew } = await client.call(target, 'PATCH', path, body, CREATE)
    const object = await client.get(target, path)
    const { id } = Identified.parse(object)
    for (const [name, wanted] of Object.entries({ members, owners })) {
      if (wanted !== undefined)
        await relate(client, target, `/${noun}/${id}/${name}`, Relationship.parse(wanted), isNew)
    }
    return object
  }

async function relate(
  client: DeployingClient,
  target: string,
  path: string,
  { relationships, relationshipSemantics }: z.infer<typeof Relationship>,
  isNew: boolean,
): Promise<void> {
  const replaces = relationshipSemantics === 'replace'
  if (replaces && isNew)
    throw new DeploymentError('BadRequest', target, 'The relationships of a new object cannot be replaced.')
  const present = (await client.list(target, path)).map((one) => Identified.parse(one).id)
  for (const id of relationships.filter((one) => !present.includes(one))) {
    const body = { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` }
    await client.call(target, 'POST', `${path}/$ref`, body)
  }
  for (const id of replaces ? present.filter((one) => !relationships.includes(one)) : []) {
    await client.call(target, 'DELETE', `${path}/${id}/$ref`)
  }
}

const federatedCredential: Upsert = async (client, target, { name, ...body }) => {
  const [app, credential] = String(name).split('/')
  const path = `/applications(uniqueName=${quoted(app)})/federatedIdentityCredentials(name=${quoted(credential)})`
  await client.call(target, 'PATCH', path, body, CREATE)
  return client.get(target, path)
}

/** POSTs unless it is there; looks again where the answer does not say what came of it. */
async function findOrCreate(
  find: () => Promise<GraphObject | undefined>,
  create: () => Promise<{ isNew: boolean; object: GraphObject }>,
): Promise<GraphObject> {
  const found = await find()
  if (found) return found
  const { isNew, object } = await create()
  return isNew ? object : ((await find()) ?? object)
}

const appRoleAssignment: Upsert = (client, target, properties) => {
  const path = `/servicePrincipals/${properties.resourceId}/appRoleAssignedTo`
  const isSame = (one: GraphObject) =>
    one.principalId === properties.principalId && one.appRoleId === properties.appRoleId
  return findOrCreate(
    async () => (await client.list(target, path)).find(isSame),
    () => client.call(target, 'POST', path, properties),
  )
}

const permissionGrant: Upsert = async (client, target, properties) => {
  const { clientId, resourceId, consentType, principalId = null, scope } = properties
  const filter = `clientId eq '${clientId}' and resourceId eq '${resourceId}' and consentType eq '${consentType}'`
  const path = '/oauth2PermissionGrants'
  const grant = await findOrCreate(
    async () => {
      const found = await client.list(target, `${path}?$filter=${encodeURIComponent(filter)}`)
      return found.find((one) => one.principalId === principalId)
    },
    () => client.call(target, 'POST', path, properties),
  )
  if (grant.scope !== scope) await client.call(target, 'PATCH', `${path}/${grant.id}`, { scope })
  return { ...grant, scope }
}

export const UPSERTS: Record<Exclude<GraphType, 'users'>, Upsert> = {
  applications: byKey('applications', 'uniqueName'),
  servicePrincipals: byKey('servicePrincipals', 'appId'),
  groups: byKey('groups', 'uniqueName'),
  'applications/federatedIdentityCredentials': federatedCredential,
  appRoleAssignedTo: appRoleAssignment,
  oauth2PermissionGrants: permissionGrant,
}

/** Reads what the template declares as `existing`, by its key. */
export const lookUp = (client: DeployingClient, target: string, noun: string, key: string, value: Json) =>
  client.get(target, noun === 'users' ? `/users/${value}` : `/${noun}(${key}=${quoted(value)})`)
