import type { Request, RequestHandler, Response } from 'express'
import type {
  Application,
  AppRoleAssignment,
  FederatedIdentityCredential,
  Group,
  OAuth2PermissionGrant,
  ServicePrincipal,
} from './directory-objects.ts'

/** What is replicated late, each kind by itself. */
export interface Objects {
  application: Application
  servicePrincipal: ServicePrincipal
  group: Group
  federatedIdentityCredential: FederatedIdentityCredential
  oauth2PermissionGrant: OAuth2PermissionGrant
  appRoleAssignment: AppRoleAssignment
  deletedItem: { id: string }
}
export type Kind = keyof Objects

/** The replicas of the directory: a write reaches one of them at once, others are asked by whoever reads next. */
export interface Replicas {
  /** Looking counts: after enough looks the object is there. */
  isHidden(kind: Kind, id: string): boolean
  /** What a list shows of these objects now. */
  listed<K extends Kind>(kind: K, items: readonly Objects[K][]): Objects[K][]
}

export type Endpoint = 'keys' | 'token' | 'obo' | 'managedIdentity' | 'graph' | 'arm' | 'devops' | 'search'

/** Where tests take hold of the tenant, to break calls, to write down what is written, to be late. */
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
  /** Sees every call to Graph as it arrives. */
  watch: RequestHandler
  /** Around the one step in which a call to Graph works. */
  around<T>(response: Response, work: () => T): T
  replicas: Replicas
}

/** The tenant of `npm start`: every call is answered, and everything is visible at once. */
export const NO_INTERVENTIONS: Interventions = {
  meet: async () => false,
  spend() {},
  watch: (_request, _response, next) => next(),
  around: (_response, work) => work(),
  replicas: { isHidden: () => false, listed: (_kind, items) => [...items] },
}
