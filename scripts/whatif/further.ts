/** What others than the template write: hooks, scripts, administrators. Named by whoever calls the what-if. */
import { z } from 'zod'

const Consents = z
  .array(
    z.strictObject({
      appId: z.guid(),
      displayName: z.string().min(1),
      permissions: z.array(z.strictObject({ value: z.string().min(1), id: z.guid() })).min(1),
    }),
  )
  .default([])

/** The file of `--desired`. */
export const Further = z.strictObject({
  $schema: z.string().optional(),
  /** Each declared app that asks for one of these APIs has consent for all users to these permissions. */
  consents: Consents,
  /** Consent for all users that a hook takes back after the deployment. */
  withdrawn: Consents,
  /** Ids of scopes and app roles that a hook disables before the deployment removes them. */
  disabledFirst: z.array(z.guid()).default([]),
  federatedCredentials: z
    .array(
      z.strictObject({
        /** Module path and symbolic name (`identity/api`), or the unique name. */
        application: z.string().min(1),
        name: z.string().min(1),
        issuer: z.url(),
        /** Left out where it is known after the deployment only. */
        subject: z.string().optional(),
        /** In words. */
        holder: z.string().default('whoever signs in with it'),
        audiences: z.array(z.string()).default(['api://AzureADTokenExchange']),
      }),
    )
    .default([]),
  /** Key ids of secrets that a hook has made and recorded. */
  secrets: z.array(z.string()).default([]),
  /** Values that the last deployment has put out, where no azd environment holds them. */
  outputs: z.record(z.string(), z.string()).default({}),
  /** How people call ids of other apps. */
  names: z.record(z.string(), z.string()).default({}),
})
export type Further = z.infer<typeof Further>

export const NOTHING_FURTHER: Further = Further.parse({})

/** By id in lower case. */
export function listNames({ consents, withdrawn, names }: Further): Map<string, string> {
  const apis = [...consents, ...withdrawn]
  const named = [
    ...Object.entries(names),
    ...apis.map(({ appId, displayName }) => [appId, displayName] as const),
    ...apis.flatMap(({ permissions }) => permissions.map(({ id, value }) => [id, value] as const)),
  ]
  return new Map(named.map(([id, name]) => [id.toLowerCase(), name]))
}
