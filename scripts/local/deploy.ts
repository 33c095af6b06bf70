import { z } from 'zod'
import type { Compiled } from '../template/compile.ts'
import { type DeclaredResource, declaredResources } from '../template/declared.ts'
import { fill, type Runtime, resolve } from '../template/resolve.ts'
import { graphType, isGraph, modulesIn, type TemplateModule } from '../template/template.ts'
import type { Json } from '../template/value.ts'
import { DeployingClient, DeploymentError, type GraphObject } from './deploy/graph-client.ts'
import { lookUp, type Properties, UPSERTS } from './deploy/upsert.ts'

export { DeploymentError } from './deploy/graph-client.ts'

export interface Deployment {
  /** Base URL of Graph, without a version. */
  graphUrl: string
  /** A token for Graph, of whoever deploys. */
  token: string
  compiled: Compiled
  /** What the Azure modules would answer, by module path: `{ host: { defaultDomain: '…' } }`. */
  azure: Record<string, Record<string, Json>>
}

export interface Deployed {
  /** The outputs of main, of which azd makes its environment. */
  outputs: Record<string, Json>
  /** The Graph objects by module path and symbolic name: `identity/api`. */
  objects: Record<string, GraphObject>
}

const Plain = z.record(z.string(), z.json())

/**
 * What `azd provision` does with the Graph resources of a template: upserts each by its key, after those that it
 * depends on. Nothing of Azure is deployed; its run-time values are given. Throws a DeploymentError.
 */
export async function deploy({ graphUrl, token, compiled, azure }: Deployment): Promise<Deployed> {
  const { template, snapshot, parameters } = compiled
  const declared = declaredResources(template, snapshot)
  const client = new DeployingClient(graphUrl, token)
  const objects = new Map<string, GraphObject>()
  const place = (module: TemplateModule, symbol: string) => [...module.path, symbol].join('/')
  const runtime: Runtime = {
    parameters,
    azure,
    resource: (module, symbol) => {
      const object = objects.get(place(module, symbol))
      return object && Plain.parse(object)
    },
  }
  await readExisting(client, template, runtime, objects)
  for (const one of declared) objects.set(one.id, await write(client, one, runtime))
  const outputs = Object.entries(compiled.outputs).map(([name, value]) => [
    name,
    resolve(value, template, runtime),
  ])
  return { outputs: Object.fromEntries(outputs), objects: Object.fromEntries(objects) }
}

async function write(
  client: DeployingClient,
  { symbol, type, module, properties }: DeclaredResource,
  runtime: Runtime,
): Promise<GraphObject> {
  const target = `/resources/${symbol}`
  if (type === 'users') throw new DeploymentError('BadRequest', target, 'Users can only be read.')
  return UPSERTS[type](client, target, filled(properties, module, runtime))
}

function filled(
  properties: DeclaredResource['properties'],
  module: TemplateModule,
  runtime: Runtime,
): Properties {
  return Plain.parse(fill(properties, module, runtime))
}

/** Before anything is deployed, which is why an `existing` object of the same deployment fails. */
async function readExisting(
  client: DeployingClient,
  template: TemplateModule,
  runtime: Runtime,
  objects: Map<string, GraphObject>,
): Promise<void> {
  for (const module of modulesIn(template)) {
    for (const { symbol, type, properties } of [...module.resources.values()].filter(
      (one) => one.isExisting && isGraph(one),
    )) {
      const [entry] = Object.entries(properties)
      if (!entry) continue
      const value = resolve(entry[1], module, runtime)
      const object = await lookUp(client, `/resources/${symbol}`, graphType(type), entry[0], value)
      objects.set([...module.path, symbol].join('/'), object)
    }
  }
}
