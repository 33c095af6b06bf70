/** What others than the template write: hooks, scripts, administrators. Named by whoever calls the what-if. */
import { z } from 'zod'

/** The file of `--desired`. */
export const Further = z.strictObject({
  $schema: z.string().optional(),
  /** Each declared app that asks for one of these APIs has consent for all users to these permissions. */
  consents: z
    .array(
      z.strictObject({
        appId: z.guid(),
        displayName: z.string().min(1),
        permissions: z.array(z.strictObject({ value: z.string().min(1), id: z.guid() })).min(1),
      }),
    )
    .default([]),
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
export function listNames({ consents, names }: Further): Map<string, string> {
  const named = [
    ...Object.entries(names),
    ...consents.map(({ appId, displayName }) => [appId, displayName] as const),
    ...consents.flatMap(({ permissions }) => permissions.map(({ id, value }) => [id, value] as const)),
  ]
  return new Map(named.map(([id, name]) => [id.toLowerCase(), name]))
}
