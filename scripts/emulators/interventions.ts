import type { Request, Response } from 'express'
import type { JWK } from 'jose'

export type Endpoint = 'keys' | 'token' | 'obo' | 'managedIdentity' | 'graph' | 'arm' | 'devops' | 'search'

/** Where tests take hold of the tenant. */
export interface Interventions {
  /** Before a call is answered; true: it is over. A refusal is written by `refuse`, because every endpoint has its own error body. */
  meet(
    endpoint: Endpoint,
    request: Request,
    response: Response,
    refuse: (status: number) => void,
  ): Promise<boolean>
  /** Before costs are answered: throws the refusal of Azure Resource Manager when a quota is spent. */
  spend(period: Readonly<{ from: string; to: string }>): void
  /** Public keys of another issuer, which Entra reads from `<issuer>/.well-known/openid-configuration`. */
  keysOf(issuer: string): JWK[] | undefined
}

/** The tenant of `npm start`: every call is answered, and no other issuer can be asked. */
export const NO_INTERVENTIONS: Interventions = {
  meet: async () => false,
  spend() {},
  keysOf: () => undefined,
}
