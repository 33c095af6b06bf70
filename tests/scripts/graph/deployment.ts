import { z } from 'zod'
import { existingResources } from '../../../scripts/bicep/alignment.ts'
import type { Compiled } from '../../../scripts/bicep/compile.ts'
import type { DeclaredResource } from '../../../scripts/bicep/declared.ts'
import { graphType, type Json, type TemplateModule } from '../../../scripts/bicep/template.ts'
import { type Lookup, placeOf } from '../../../scripts/bicep/term.ts'
import { toValue } from '../../../scripts/bicep/value.ts'
import { filled } from '../bicep/deployed-values.ts'
import { DeployingClient, DeploymentError, type GraphObject } from './deployment/graph-client.ts'
import { lookUp, UPSERTS } from './deployment/upsert.ts'

export { DeploymentError } from './deployment/graph-client.ts'

export interface Deployment {
  /** Base URL of Graph, without a version. */
  graphUrl: string
  /** A token for Graph, of whoever deploys. */
  token: string
  compiled: Compiled
  /** What Azure's resources would answer, by module path and symbolic name: `{ 'host/environment': { defaultDomain: '…' } }`. */
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
  const client = new DeployingClient(graphUrl, token)
  const objects = new Map<string, GraphObject>()
  const lookup: Lookup = ({ module, symbol }) => {
    const place = placeOf({ module, symbol })
    const object = objects.get(place)
    return object ? Plain.parse(object) : azure[place]
  }
  await readExisting(client, compiled.template, lookup, objects)
  for (const one of compiled.declared) objects.set(one.id, await write(client, one, lookup))
  const outputs = Object.entries(compiled.outputs).map(([name, value]) => [name, filled(value, lookup)])
  return { outputs: Object.fromEntries(outputs), objects: Object.fromEntries(objects) }
}

async function write(
  client: DeployingClient,
  { id, type, properties }: DeclaredResource,
  lookup: Lookup,
): Promise<GraphObject> {
  const target = `/resources/${id.split('/').at(-1)}`
  if (type === 'users') throw new DeploymentError('BadRequest', target, 'Users can only be read.')
  return UPSERTS[type](client, target, Plain.parse(filled(properties, lookup)))
}

/** Before anything is deployed, which is why an `existing` object of the same deployment fails. */
async function readExisting(
  client: DeployingClient,
  template: TemplateModule,
  lookup: Lookup,
  objects: Map<string, GraphObject>,
): Promise<void> {
  for (const { place, type, properties } of existingResources(template)) {
    const [entry] = Object.entries(Plain.parse(filled(toValue(properties), lookup)))
    if (!entry) continue
    objects.set(
      place,
      await lookUp(client, `/resources/${place.split('/').at(-1)}`, graphType(type), ...entry),
    )
  }
}
