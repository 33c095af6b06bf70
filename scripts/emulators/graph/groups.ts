import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Group } from '../directory-objects.ts'
import { said } from './body.ts'
import type { Call } from './endpoint.ts'
import { entityRoutes } from './entity-routes.ts'
import { born, checkUniqueName, type EntitySet } from './entity-set.ts'
import { denied, duplicateValues, requestError } from './errors.ts'
import { alreadyRelated, relatable } from './relationships.ts'

const references = z.array(z.string()).max(20).optional()

const Creation = z.strictObject({
  displayName: z.string().min(1).max(256),
  description: z.string().max(1024).nullish(),
  uniqueName: z.string().min(1).max(120).optional(),
  mailNickname: z.string().regex(/^[^\s@()\\[\]";:<>,]{1,64}$/),
  mailEnabled: z.boolean(),
  securityEnabled: z.boolean(),
  groupTypes: z.array(z.string()).optional(),
  isAssignableToRole: z.boolean().nullish(),
  visibility: z.string().nullish(),
  'members@odata.bind': references,
  'owners@odata.bind': references,
})
const Patch = Creation.partial()
type Patch = z.infer<typeof Patch>

const MEMBERS = ['user', 'group', 'servicePrincipal'] as const
const OWNERS = ['user', 'servicePrincipal'] as const

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
  relationships: { members: MEMBERS, owners: OWNERS },
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
  create(call, { 'members@odata.bind': members = [], 'owners@odata.bind': owners = [], ...creation }) {
    checkKind(creation)
    checkName(call, undefined, creation)
    const { displayName, mailNickname, securityEnabled } = creation
    const { description = null, uniqueName = null, visibility = null } = creation
    const { createdDateTime, owners: own } = born(call)
    const others = owners.map((reference) => relatable(call, reference, OWNERS))
    // Whoever creates a group owns it already.
    if (others.some((id) => own.includes(id))) throw duplicateValues()
    const plain = { description, uniqueName, mailNickname, mailEnabled: false, securityEnabled, visibility }
    return {
      id: randomUUID(),
      displayName,
      ...plain,
      createdDateTime,
      members: [...new Set(members.map((reference) => relatable(call, reference, MEMBERS)))],
      owners: [...own, ...others],
    }
  },
  change(call, group, patch) {
    checkKind(patch)
    checkName(call, group, patch)
    const {
      'members@odata.bind': added = [],
      'owners@odata.bind': _,
      groupTypes: __,
      isAssignableToRole: ___,
      ...rest
    } = patch
    const members = added.map((reference) => relatable(call, reference, MEMBERS))
    if (members.some((id) => group.members.includes(id))) throw alreadyRelated('members')
    return { ...said(rest), members: [...group.members, ...members] }
  },
}

function checkName({ directory }: Call, group: Group | undefined, { uniqueName }: Patch): void {
  checkUniqueName(uniqueName, group, [...directory.groups, ...directory.deletedItems.groups])
}

export const GROUP_ROUTES = entityRoutes(GROUPS)
