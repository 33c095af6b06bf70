import { z } from 'zod'
import { placeOf } from './place.ts'

const DEEPEST = 5

/** Words and ids of the program's own making; a text may hold contents, names or tokens. */
const Word = z.string().regex(/^[\w.:-]{1,100}$/)
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined)

/** What Entra (`error_codes`) and APIs of Microsoft's (`error.code`, as Graph and Azure Resource Manager have it) call a refusal. */
const Refusal = z.union([
  z
    .object({ error_codes: z.tuple([z.int()], z.int()) })
    .transform(({ error_codes: [code] }) => `AADSTS${code}`),
  z
    .object({ error: z.object({ code: z.string().regex(/^[\w.]{1,100}$/) }) })
    .transform(({ error }) => error.code),
])

/** What errors of ours, of the Azure SDKs, MSAL, Graph and Node say about themselves beside their text. */
const Said = z.object({
  name: optional(Word),
  code: optional(z.union([Word, z.number()])),
  errorCode: optional(Word),
  status: optional(z.int()),
  // Of an HTTP client's error: ky's has the answer's body as `data`.
  response: optional(z.object({ status: z.int() })),
  data: optional(Refusal),
  substatus: optional(z.int()),
  identity: optional(z.guid()),
  reason: optional(Word),
})

/** What a log line tells of an error: codes, HTTP statuses, ids. */
type FaultFields = Readonly<{
  error: string
  code: string | undefined
  status: number | undefined
  substatus: number | undefined
  /** The code, or else the kind, of the error that it came from. */
  cause: string | undefined
  /** Client id of the managed identity that was asked for. */
  identity: string | undefined
}>

/** Reads an error and its causes, without their messages: those may hold contents or tokens. */
export function faultFields(error: unknown): FaultFields {
  const [own, ...causes] = chainOf(error).map(factsOf)
  const all = own ? [own, ...causes] : []
  const first = <Name extends 'status' | 'substatus' | 'identity'>(name: Name) =>
    all.find((facts) => facts[name] !== undefined)?.[name]
  const origin = causes.findLast(({ code, reason }) => code ?? reason) ?? causes.at(-1)
  return {
    error: own?.name ?? 'no error',
    code: own?.code,
    status: first('status'),
    substatus: first('substatus'),
    identity: first('identity'),
    cause: origin && nameOf(origin),
  }
}

/** Kind, code and place of an error in one line. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'A thing that is no error was thrown.'
  const { error: name, code, status, substatus } = faultFields(error)
  const number = status && [status, substatus].filter((part) => part !== undefined).join('/')
  const known = code ?? number
  return [name, known && `(code ${known})`, placeOf(error.stack ?? '')].filter(Boolean).join(' ')
}

/** What an error is known by; `Error` says nothing. */
const nameOf = ({ reason, code, name }: ReturnType<typeof factsOf>) =>
  reason ?? code ?? (name === 'Error' ? undefined : name)

function chainOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let next = error; next instanceof Error && chain.length < DEEPEST; next = next.cause) chain.push(next)
  return chain
}

/** A number as a code is an HTTP status where it can be one: so @azure/cosmos has it; an abort of the platform has 20. */
function factsOf(error: Error) {
  const { name = 'Error', code, errorCode, response, data, ...said } = Said.parse(error)
  return {
    ...said,
    name,
    code: typeof code === 'string' ? code : (errorCode ?? data),
    status: said.status ?? response?.status ?? (typeof code === 'number' && code >= 100 ? code : undefined),
  }
}
