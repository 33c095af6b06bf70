/** The what-if of identity changes: what a deployment and its hooks would do to the live directory. */

import type { Compiled } from '../bicep/compile.ts'
import type { Directory } from '../directory.ts'
import { type Blocker, blockersOf, twins } from './blockers.ts'
import { type Change, changesOf, type Pending } from './changes.ts'
import { existingObjects } from './existing.ts'
import {
  consentObjects,
  credentialObjects,
  type Declaration,
  downstreamPrincipals,
  type Hooks,
} from './hooks.ts'
import type { LiveProperties } from './keys.ts'
import { Knowledge } from './knowledge.ts'
import { Reader } from './live.ts'
import { Naming } from './naming.ts'
import { environmentTags, type Orphan, orphansOf, withRenames } from './orphans.ts'
import { assignmentsThatStay, type Standing, standingOf } from './standing.ts'
import { readAll } from './surroundings.ts'
import { propertiesOf, type WantedObject, wantedObjects } from './wanted.ts'

export interface Declared {
  compiled: Compiled
  /** permissions.json; undefined in a project without one, where no consent is granted by a hook. */
  declaration: Declaration | undefined
  /** The azd environment. */
  variables: Readonly<Record<string, string>>
  tenantId: string
  authorityHost: string
}

export interface WhatIf {
  environment: string
  tenantId: string
  changes: Change[]
  /** What is known only after the deployment: neither changes nor no changes. */
  pending: Pending[]
  blockers: Blocker[]
  orphans: Orphan[]
  /** Dangers that are there already and that the deployment leaves as they are. */
  standing: Standing[]
  /** For the map. */
  objects: WantedObject[]
  knowledge: Knowledge
  naming: Naming
}

/** What permissions.json calls clients, APIs and permissions, by their ids. */
function namesIn(declaration: Declaration | undefined): Map<string, string> {
  const { clients = [], downstreamApis = [] } = declaration ?? {}
  const named = [
    ...clients.map(({ appId, name }) => [appId, name] as const),
    ...downstreamApis.map(({ appId, displayName }) => [appId, displayName] as const),
    ...downstreamApis.flatMap(({ permissions }) => permissions.map(({ id, value }) => [id, value] as const)),
  ]
  return new Map(named.map(([id, name]) => [id.toLowerCase(), name]))
}

/** Everything wanted, before anything has been read: what the map of the declared state needs. */
export function wantedOf({ compiled, declaration, ...rest }: Declared) {
  const template = wantedObjects(compiled)
  const existing = [...existingObjects(compiled.template), ...downstreamPrincipals(declaration)]
  const known = new Knowledge([...template, ...existing])
  const hooks: Hooks = { ...rest, declaration, outputs: compiled.outputs }
  const objects = [...template, ...credentialObjects(hooks), ...consentObjects(declaration, template, known)]
  const clients = namesIn(declaration)
  return { objects, existing, knowledge: known, naming: new Naming([...objects], known, clients) }
}

/** Reads only. Throws a Problem that names the missing rights. */
export async function identityWhatIf(
  declared: Declared,
  directory: Pick<Directory, 'get' | 'list'>,
): Promise<WhatIf> {
  const { objects, existing, knowledge, naming } = wantedOf(declared)
  const environment = declared.variables.AZURE_ENV_NAME ?? ''
  const reader = new Reader(directory)
  const tags = environmentTags(
    objects.map((one) => propertiesOf(one, knowledge)),
    environment,
  )
  const around = await readAll(reader, [...objects, ...existing], knowledge, tags)
  const { changes, pending } = changesOf({ objects, knowledge, naming, tenantId: declared.tenantId })
  const declaredIds = new Set(objects.flatMap(({ key }) => String(knowledge.live(key)?.id ?? '')))
  return {
    environment,
    tenantId: declared.tenantId,
    changes,
    pending,
    blockers: await allBlockers(objects, knowledge, naming, around.deleted, reader),
    orphans: withRenames(orphansOf(around.apps, around.principals, tags, declaredIds), changes),
    standing: [
      ...standingOf(objects, knowledge, naming),
      ...(await assignmentsThatStay(objects, knowledge, naming, reader)),
    ],
    objects,
    knowledge,
    naming,
  }
}

async function allBlockers(
  objects: readonly WantedObject[],
  knowledge: Knowledge,
  naming: Naming,
  deleted: readonly LiveProperties[],
  reader: Reader,
): Promise<Blocker[]> {
  const found = objects.map(async (one) => {
    const wanted = propertiesOf(one, knowledge)
    const about = { key: one.key, title: naming.titleOf(one.type, wanted) }
    const siblings = await reader.countBeside(one, wanted)
    const isLive = knowledge.live(one.key) !== undefined
    const refusals = [...(isLive ? [] : twins(one, wanted, deleted)), ...blockersOf(one, knowledge, siblings)]
    return refusals.map((refusal) => ({ ...about, ...refusal }))
  })
  return (await Promise.all(found)).flat()
}
