/** The index of the documents and what is in it. Idempotent: a second run changes nothing that is right already. */
import type { SearchIndex } from '@azure/search-documents'
import {
  DOCUMENTS_INDEX,
  openIndex,
  openService,
  type ServiceCredential,
  type StoredDocument,
} from '../../app/documents/search.ts'
import { type Readers, samplesFor } from './samples.ts'

/** Without these two fields and the option every caller would find everything; ids are no answer to a search. */
const readers = (name: keyof StoredDocument, permissionFilter: 'userIds' | 'groupIds') => ({
  name,
  type: 'Collection(Edm.String)' as const,
  filterable: true,
  hidden: true,
  permissionFilter,
})
const text = (name: keyof StoredDocument) => ({ name, type: 'Edm.String' as const, searchable: true })

const DEFINITION: SearchIndex = {
  name: DOCUMENTS_INDEX,
  fields: [
    { name: 'id', type: 'Edm.String', key: true },
    text('title'),
    text('content'),
    readers('reader_users', 'userIds'),
    readers('reader_groups', 'groupIds'),
  ],
  permissionFilterOption: 'enabled',
}

/**
 * Creates or updates the index, switches its permission filter on and uploads the samples; other documents stay.
 * Needs Search Service Contributor and Search Index Data Contributor. Throws the SDK's RestError.
 */
export async function fillDocuments(
  endpoint: string,
  credential: ServiceCredential,
  whoReads: Readers,
): Promise<StoredDocument[]> {
  await openService(endpoint, credential).createOrUpdateIndex(DEFINITION)
  const samples = samplesFor(whoReads)
  await openIndex(endpoint, credential).uploadDocuments(samples, { throwOnAnyFailure: true })
  return samples
}
