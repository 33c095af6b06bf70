import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Group, GroupProperties } from '../../../../scripts/emulators/directory-objects.ts'
import { denied } from '../../../../scripts/emulators/graph/errors.ts'
import { said } from './body.ts'
import type { Call } from './endpoint.ts'
import { entityRoutes } from './entity-routes.ts'
import { born, checkUniqueName, type EntitySet } from './entity-set.ts'
import { requestError } from './errors.ts'

const Creation = GroupProperties.extend({ uniqueName: z.string().min(1).max(120).optional() })
const Patch = Creation.partial()
type Patch = z.infer<typeof Patch>

/** Only plain security groups: anything else needs rights or services that this tenant has not. */
function checkKind({ isAssignableToRole, groupTypes = [], mailEnabled }: Patch): void {
  if (isAssignableToRole) throw denied()
  if (groupTypes.length > 0 || mailEnabled)
    throw requestError("Invalid value specified for property 'groupTypes' of resource 'Group'.")
}

export const GROUPS: EntitySet<'group', z.infer<typeof Creation>, Patch> = {
  kind: 'group',
  name: 'groups',
  resource: 'Group',
  key: 'uniqueName',
  readOnly: ['id', 'createdDateTime', 'deletedDateTime', 'mail'],
  creation: Creation,
  patch: Patch,
  filters: {
    id: 'eq',
    displayName: 'eq',
    uniqueName: 'eq',
    mailNickname: 'eq',
  },
  rights: { read: 'groups', create: 'createGroup', change: 'changeGroup' },
  relationships: { members: ['user', 'group', 'servicePrincipal'], owners: ['user', 'servicePrincipal'] },
  all: ({ groups }) => groups,
  deleted: ({ deletedItems }) => deletedItems.groups,
  view: ({ members: _, owners: __, ...shown }) => ({
    ...shown,
    visibility: shown.visibility ?? null,
    createdDateTime: shown.createdDateTime ?? null,
    deletedDateTime: null,
    groupTypes: shown.groupTypes ?? [],
    membershipRule: shown.membershipRule ?? null,
    membershipRuleProcessingState: shown.membershipRule ? 'On' : null,
    isAssignableToRole: shown.isAssignableToRole ?? null,
    mail: null,
  }),
  create(call, creation) {
    checkKind(creation)
    checkName(call, undefined, creation)
    const { displayName, mailNickname, securityEnabled } = creation
    const { description = null, uniqueName = null, visibility = null } = creation
    const plain = { description, uniqueName, mailNickname, mailEnabled: false, securityEnabled, visibility }
    return { id: randomUUID(), displayName, ...plain, ...born(call), members: [] }
  },
  change(call, group, patch) {
    checkKind(patch)
    checkName(call, group, patch)
    const { groupTypes: _, isAssignableToRole: __, ...rest } = patch
    return said(rest)
  },
}

function checkName({ directory }: Call, group: Group | undefined, { uniqueName }: Patch): void {
  checkUniqueName(uniqueName, group, [...directory.groups, ...directory.deletedItems.groups])
}

export const GROUP_ROUTES = entityRoutes(GROUPS)
