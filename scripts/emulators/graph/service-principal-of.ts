import type { ServicePrincipal } from '../directory-objects.ts'
import type { Call, Graph } from './endpoint.ts'
import { keyOf } from './keys.ts'
import { mustFind } from './lookup.ts'
import { demandReading, demandRight } from './rights.ts'

/** The service principal that a path names, for somebody who may at least read it. */
export function principalOf(graph: Graph, { caller, param }: Call): ServicePrincipal {
  demandReading(caller, 'applications')
  return mustFind(graph, 'servicePrincipal', graph.directory.servicePrincipals, keyOf(param('key')))
}

/** The same, for somebody who may change it. */
export function ownPrincipalOf(graph: Graph, { caller, param }: Call): ServicePrincipal {
  const { servicePrincipals } = graph.directory
  const principal = mustFind(graph, 'servicePrincipal', servicePrincipals, keyOf(param('key')))
  demandRight(graph.directory, caller, 'changeApplication', principal.owners)
  return principal
}
