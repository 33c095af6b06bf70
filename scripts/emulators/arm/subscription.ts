/** What a service cost on one day. */
export type DayCost = Readonly<{ service: string; currency: string; amount: number }>

export interface Subscription {
  /** GUID in lower case. */
  id: string
  displayName: string
  tenantId: string
  /**
   * `no_usage`: Cost Management answers 204. `no_offer`: of a kind that it knows no costs of, such as sponsored ones,
   * and reported as 404 `NotFound` (Azure/azqr#674).
   */
  state: 'enabled' | 'no_usage' | 'no_offer'
  /** By day, `YYYY-MM-DD`. */
  costs: (day: string) => readonly DayCost[]
}

/** A role of Azure on a subscription; `principalId` is a user, a group or a service principal. */
export interface RoleAssignment {
  principalId: string
  role: string
  subscription: string
}
