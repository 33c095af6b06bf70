import { z } from 'zod'
import type { Group } from '../directory-objects.ts'
import { nullable } from './body.ts'
import type { Filterable } from './filter.ts'

export const GROUP_FILTERS: Filterable = {
  id: ['eq', 'ne', 'in'],
  displayName: ['eq', 'ne', 'in', 'startswith', 'endswith'],
  uniqueName: ['eq', 'ne', 'in', 'startswith'],
  mailNickname: ['eq', 'in', 'startswith'],
  mailEnabled: ['eq'],
  securityEnabled: ['eq'],
}

export const GROUP = { resource: 'Group', readOnly: ['id', 'createdDateTime', 'deletedDateTime', 'mail'] }
const references = z.array(z.string()).max(20).optional()

export const GroupPatch = z.strictObject({
  displayName: z.string().min(1).max(256).optional(),
  description: nullable(z.string().max(1024)),
  uniqueName: z.string().min(1).max(120).optional(),
  mailNickname: z
    .string()
    .regex(/^[^\s@()\\[\]";:<>,]{1,64}$/)
    .optional(),
  mailEnabled: z.boolean().optional(),
  securityEnabled: z.boolean().optional(),
  groupTypes: z.array(z.string()).optional(),
  isAssignableToRole: nullable(z.boolean()),
  visibility: nullable(z.string()),
  'members@odata.bind': references,
  'owners@odata.bind': references,
})
export type GroupPatch = z.infer<typeof GroupPatch>

export const groupView = ({ members: _, owners: __, ...shown }: Group) => ({
  ...shown,
  visibility: shown.visibility ?? null,
  createdDateTime: shown.createdDateTime ?? null,
  deletedDateTime: null as string | null,
  groupTypes: shown.groupTypes ?? [],
  membershipRule: shown.membershipRule ?? null,
  membershipRuleProcessingState: shown.membershipRule ? 'On' : null,
  isAssignableToRole: shown.isAssignableToRole ?? null,
  mail: null,
})
