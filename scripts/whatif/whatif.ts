/** The what-if of identity changes: what a deployment and its hooks would do to the live directory. */

import type { Compiled } from '../bicep/compile.ts'
import { Unknown } from '../bicep/value.ts'
import type { Directory } from '../graph/directory.ts'
import { type Blocker, blockersOf, twins } from './blockers.ts'
import { type Change, changesOf, type Pending } from './changes.ts'
import { type Accepted, type Exception, withExceptions } from './exceptions.ts'
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
import type { Perspective } from './risk.ts'
import { readAll } from './surroundings.ts'
import { strangeNotes, type Unmanaged, unmanagedOf } from './unmanaged.ts'
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

/** How the differences are judged. */
export interface Judging {
  exceptions: readonly Exception[]
  /** Object id of whoever asks. */
  deployer: string | undefined
  /** Key ids of secrets that the hook has made and recorded. */
  ownSecrets: ReadonlySet<string>
  perspective: Perspective
  /** Like 2026-11-27: exceptions expire. */
  today: string
}

export interface WhatIf {
  environment: string
  tenantId: string
  changes: Change[]
  /** What is known only after the deployment: neither changes nor no changes. */
  pending: Pending[]
  blockers: Blocker[]
  orphans: Orphan[]
  /** What is there and not declared; no deployment takes it away. */
  unmanaged: Unmanaged[]
  /** The same, with the reason why it may stay. */
  accepted: Accepted[]
  /** Exceptions that count for nothing. */
  stale: string[]
  /** What could not be told. */
  notes: string[]
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
  for (const [name, value] of Object.entries(compiled.outputs)) {
    const [only, ...others] = value instanceof Unknown ? (value.pattern ?? []) : []
    const said = rest.variables[name]
    if (typeof only === 'object' && others.length === 0 && said) known.record(only, said)
  }
  const hooks: Hooks = { ...rest, declaration, outputs: compiled.outputs }
  const objects = [...template, ...credentialObjects(hooks), ...consentObjects(declaration, template, known)]
  const clients = namesIn(declaration)
  return { objects, existing, knowledge: known, naming: new Naming([...objects], known, clients) }
}

/** Reads only. Throws a Problem that names the missing rights. */
export async function identityWhatIf(
  declared: Declared,
  directory: Pick<Directory, 'get' | 'list'>,
  judging: Judging,
): Promise<WhatIf> {
  const { objects, existing, knowledge, naming } = wantedOf(declared)
  const environment = declared.variables.AZURE_ENV_NAME ?? ''
  const reader = new Reader(directory)
  const tags = environmentTags(
    objects.map((one) => propertiesOf(one, knowledge)),
    environment,
  )
  const around = await readAll(reader, [...objects, ...existing], knowledge, tags)
  const { tenantId } = declared
  const { exceptions, perspective, deployer, ownSecrets, today } = judging
  const { changes, pending } = changesOf({
    objects,
    knowledge,
    naming,
    tenantId,
    perspective,
    environmentTags: tags,
  })
  const declaredIds = new Set(objects.flatMap(({ key }) => String(knowledge.live(key)?.id ?? '')))
  const judge = { objects, knowledge, naming, deployer, ownSecrets }
  const found = [...unmanagedOf(judge), ...pending.flatMap(taken)]
  return {
    environment,
    tenantId,
    changes,
    pending: pending.filter((one) => one.taken === undefined),
    blockers: await allBlockers(objects, knowledge, naming, around.deleted, reader),
    orphans: withRenames(orphansOf(around.apps, around.principals, tags, declaredIds), changes),
    ...withExceptions(found, exceptions, { objects, environment, today }),
    notes: [...around.notes, ...strangeNotes(judge)],
    objects,
    knowledge,
    naming,
  }
}

/** A host that is known in part only: it fits, but nobody can say that it is the one. */
const taken = ({ key, type, title, path, text, taken: value }: Pending): Unmanaged[] =>
  value === undefined
    ? []
    : [
        {
          ...{ key, type, title, value, kind: path, grade: 'medium' },
          reason: `Is taken for ${text}; azd's environment does not record what is in braces.`,
        },
      ]

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
