import type { Application } from '../directory-objects.ts'
import type { Call, Graph } from './endpoint.ts'
import { keyOf } from './keys.ts'
import { mustFind } from './lookup.ts'
import { demandReading, demandRight } from './rights.ts'

/** The app that a path names, for somebody who may at least read it. */
export function applicationOf(graph: Graph, { caller, param }: Call): Application {
  demandReading(caller, 'applications')
  return mustFind(graph, 'application', graph.directory.applications, keyOf(param('key')))
}

/** The same, for somebody who may change it. */
export function ownApplicationOf(graph: Graph, call: Call): Application {
  const app = mustFind(graph, 'application', graph.directory.applications, keyOf(call.param('key')))
  demandRight(graph.directory, call.caller, 'changeApplication', app.owners)
  return app
}
