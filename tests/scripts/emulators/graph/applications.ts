import { randomUUID } from 'node:crypto'
import { blankApplication } from '../../../../scripts/emulators/microsoft-apps.ts'
import { checkApplication } from './application-rules.ts'
import { ApplicationPatch, applicationView, NewApplication, patched } from './application-schema.ts'
import { entityRoutes } from './entity-routes.ts'
import { born, discard, type EntitySet } from './entity-set.ts'
import { takenValue } from './errors.ts'
import { SERVICE_PRINCIPALS } from './service-principals.ts'

export const APPLICATIONS: EntitySet<'application', NewApplication, ApplicationPatch> = {
  kind: 'application',
  name: 'applications',
  resource: 'Application',
  key: 'uniqueName',
  readOnly: ['id', 'appId', 'createdDateTime', 'deletedDateTime', 'publisherDomain', 'verifiedPublisher'],
  creation: NewApplication,
  patch: ApplicationPatch,
  filters: {
    id: 'eq',
    appId: 'eq',
    displayName: 'eq',
    uniqueName: 'eq',
    signInAudience: 'eq',
    identifierUris: 'any',
    tags: 'any',
  },
  rights: { read: 'applications', create: 'createApplication', change: 'changeApplication' },
  relationships: { owners: ['user', 'servicePrincipal'] },
  all: ({ applications }) => applications,
  deleted: ({ deletedItems }) => deletedItems.applications,
  view: applicationView,
  create(call, patch) {
    const blank = blankApplication(randomUUID(), randomUUID(), patch.displayName)
    const after = { ...patched(blank, patch), ...born(call) }
    checkApplication(call, { before: undefined, after, patch })
    return after
  },
  change(call, before, patch) {
    const after = patched(before, patch)
    checkApplication(call, { before, after, patch })
    return after
  },
  /** Its service principal goes with it, and is restored by itself. */
  onDeletion(call, { appId }) {
    const principal = call.directory.servicePrincipal(appId)
    if (principal) discard(call, SERVICE_PRINCIPALS, principal)
  },
  checkRestored({ applications }, { identifierUris }) {
    const uris = applications.flatMap((app) => app.identifierUris)
    if (identifierUris.some((uri) => uris.includes(uri))) throw takenValue('identifierUris')
  },
}

export const APPLICATION_ROUTES = entityRoutes(APPLICATIONS)
