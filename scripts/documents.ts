/** `npm run documents`: the index of the tool get_documents, and five sample documents in it. */
import { isRestError } from '@azure/core-rest-pipeline'
import { deploymentOf, type Surroundings } from './cli/environment.ts'
import { searchOperatorOf } from './cli/operator.ts'
import { Problem } from './cli/problem.ts'
import { type Context, runScript } from './cli/script.ts'
import type { Operator } from './cli/token.ts'
import { fillDocuments } from './documents/fill.ts'

const AGAIN = 'npm run documents    (again, in some minutes)'

function problemOf(error: unknown): unknown {
  if (!isRestError(error)) return error
  const { statusCode, code, message } = error
  if (statusCode === 401 || statusCode === 403)
    return new Problem({
      what: `Azure AI Search refused with ${statusCode}.`,
      why: 'It takes the roles Search Service Contributor and Search Index Data Contributor. infra/access.bicep gives them to a user who deploys; a new assignment takes up to ten minutes to count.',
      fix: AGAIN,
    })
  return new Problem({
    what: `Azure AI Search could not be used: ${statusCode ?? code ?? 'no answer'}. ${message}`.trim(),
    why: 'The tool get_documents asks the index that this makes.',
    fix: AGAIN,
  })
}

/** Makes the index and fills it as `operator`, who becomes a reader beside the two groups. May be repeated. */
export async function documents(
  context: Surroundings & Pick<Context, 'print'>,
  operator: Operator,
): Promise<void> {
  const { SEARCH_ENDPOINT, ENTRA_ADMIN_GROUP_ID, ENTRA_USERS_GROUP_ID } = deploymentOf(context)
  if (!SEARCH_ENDPOINT)
    throw new Problem({
      what: 'This environment has no search service.',
      why: 'It is deployed with the tool set documents only, because it may cost money.',
      fix: 'azd env set TOOL_SETS expenses,profile,documents && azd up',
    })
  const { oid } = await operator.claims()
  if (!oid)
    throw new Problem({
      what: 'The token of whoever is signed in to azd names nobody.',
      why: 'One of the samples is for whoever deploys.',
      fix: 'azd auth login',
    })
  const credential = {
    getToken: async () => ({ token: await operator.token(), expiresOnTimestamp: Date.now() }),
  }
  const readers = { deployerId: oid, adminGroupId: ENTRA_ADMIN_GROUP_ID, usersGroupId: ENTRA_USERS_GROUP_ID }
  const samples = await fillDocuments(SEARCH_ENDPOINT, credential, readers).catch((error: unknown) => {
    throw problemOf(error)
  })
  context.print(`✓ index documents at ${SEARCH_ENDPOINT}: its permission filter is on`)
  const names = new Map([
    [oid, 'you'],
    [ENTRA_ADMIN_GROUP_ID, 'the admin group'],
    [ENTRA_USERS_GROUP_ID, 'the users group'],
  ])
  for (const { id, reader_users, reader_groups } of samples) {
    const named = [...reader_users, ...reader_groups].flatMap((reader) => names.get(reader) ?? [])
    context.print(`✓ ${id}: ${named.join(', ')}`)
  }
}

await runScript(
  import.meta,
  {
    help: `
npm run documents
Creates or updates the index "documents" of the search service, switches its permission filter on and uploads five
samples: their readers are whoever is signed in to azd, the admin group and the users group. May be repeated; other
documents in the index stay. Needs the tool set documents (TOOL_SETS).`,
  },
  (context) => documents(context, searchOperatorOf(context.environment)),
)
