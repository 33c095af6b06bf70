import { z } from 'zod'
import { safeUrl } from '../loopback.ts'

/** Where telemetry is sent: an Application Insights component. */
export type Ingestion = Readonly<{
  connectionString: string
  /** https, or http on loopback; without a trailing slash. */
  endpoint: string
}>

const message =
  'should be the connection string of an Application Insights component: InstrumentationKey=<GUID>;IngestionEndpoint=<https URL>;... (http on localhost only)'

const Fields = z.object({
  instrumentationkey: z.guid(),
  ingestionendpoint: z.string().refine(safeUrl),
})

/**
 * The connection string with only those of its fields that the server uses: the others name further
 * hosts, and the audience of the access token that is sent along is not for a string to choose.
 */
export const ConnectionString = z.string(message).transform((text, context): Ingestion => {
  const fields = Fields.safeParse(Object.fromEntries(text.split(';').map(fieldOf)))
  if (!fields.success) {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  const key = fields.data.instrumentationkey.toLowerCase()
  const endpoint = fields.data.ingestionendpoint.replace(/\/+$/, '')
  return { connectionString: `InstrumentationKey=${key};IngestionEndpoint=${endpoint}`, endpoint }
})

function fieldOf(field: string): [string, string] {
  const [name = '', ...value] = field.split('=')
  return [name.trim().toLowerCase(), value.join('=').trim()]
}
