/** The parts of Microsoft Graph's objects that the scripts read. Each schema comes with its `$select`. */
import { z } from 'zod'

const Scope = z.object({
  id: z.string(),
  value: z.string().nullish(),
  isEnabled: z.boolean(),
})

export const Application = z.object({
  id: z.string(),
  appId: z.string(),
  displayName: z.string(),
  uniqueName: z.string().nullish(),
  tags: z.array(z.string()).default([]),
  api: z.object({ oauth2PermissionScopes: z.array(Scope).default([]) }).prefault({}),
  appRoles: z.array(Scope).default([]),
})
export type Application = z.infer<typeof Application>

export const ServicePrincipal = z.object({
  id: z.string(),
  appId: z.string(),
  displayName: z.string(),
  tags: z.array(z.string()).default([]),
})
export type ServicePrincipal = z.infer<typeof ServicePrincipal>

/** An API of another party, with what it offers. */
export type Resource = z.infer<typeof Resource>
export const Resource = z.object({
  id: z.string(),
  appId: z.string(),
  oauth2PermissionScopes: z.array(Scope).default([]),
})

export const Group = z.object({
  id: z.string(),
  displayName: z.string(),
  description: z.string().nullish(),
  uniqueName: z.string().nullish(),
})
export type Group = z.infer<typeof Group>

export const FederatedCredential = z.object({
  id: z.string(),
  name: z.string(),
  issuer: z.string(),
  subject: z.string(),
  audiences: z.array(z.string()),
})
export type FederatedCredential = z.infer<typeof FederatedCredential>

export const Grant = z.object({
  id: z.string(),
  clientId: z.string(),
  consentType: z.string(),
  resourceId: z.string(),
  scope: z.string().nullish(),
})
export type Grant = z.infer<typeof Grant>

/** Of any type in the recycle bin; groups and service principals lack some of these. */
export const Deleted = z.object({
  id: z.string(),
  appId: z.string().nullish(),
  displayName: z.string().nullish(),
  description: z.string().nullish(),
  uniqueName: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
})
export type Deleted = z.infer<typeof Deleted>

/** `$select=` with the keys of a schema. */
export const select = (schema: z.ZodObject): string => `$select=${Object.keys(schema.shape).join(',')}`

/** A text inside an OData expression. */
export const quoted = (text: string): string => `'${encodeURIComponent(text.replaceAll("'", "''"))}'`

/** Of an API of another party, by its app id. */
export const servicePrincipalPath = (appId: string): string =>
  `/servicePrincipals(appId=${quoted(appId)})?${select(Resource)}`
