/** The what-if of identity changes: load, desired and actual state, difference, risk; the reports show the result. */
import { Unknown } from '../bicep/value.ts'
import type { Directory } from '../graph/directory.ts'
import { readActual } from './actual.ts'
import { ActualState, nameObjects, type States } from './actual-state.ts'
import { type Blocker, findBlockers } from './blockers.ts'
import {
  type Change,
  findChanges,
  findEnvironmentTags,
  findOrphans,
  type Orphan,
  type Pending,
} from './changes.ts'
import {
  collectHookObjects,
  collectReadObjects,
  collectTemplateObjects,
  type Declared,
  type DesiredObject,
  resolveObject,
} from './desired.ts'
import { applyExceptions, type Sorted } from './exceptions.ts'
import { listNames } from './further.ts'
import { type Asked, loadDeclared, loadPolicy, type Policy, type Question } from './load.ts'
import { findUnmanaged, noteUnfamiliar, type Unmanaged } from './unmanaged.ts'
import { findUnreadable, type Unreadable } from './unreadable.ts'

/** With the states for the map. */
export interface WhatIf extends States, Sorted {
  environment: string
  tenantId: string
  changes: Change[]
  /** What is known only after the deployment: neither changes nor no changes. */
  pending: Pending[]
  blockers: Blocker[]
  /** What this version does not understand; everything else is judged. */
  unreadable: Unreadable[]
  orphans: Orphan[]
  /** What could not be told. */
  notes: string[]
  /** Where resources are written, by module path and symbolic name. */
  places: Declared['places']
}

/** What the compiler leaves open although the cloud, the target and the one who asks answer it. */
const answersOf = ({ tenantId, variables, deployer }: Declared) => ({
  // The public cloud, as everywhere in scripts/.
  'environment()': { authentication: { loginEndpoint: 'https://login.microsoftonline.com/' } },
  'tenant()': { tenantId },
  'subscription()': { subscriptionId: variables.AZURE_SUBSCRIPTION_ID ?? '', tenantId },
  ...(deployer === undefined ? {} : { 'deployer()': { objectId: deployer, tenantId } }),
})

/** Both states before anything has been read: what the map of the declared state needs. */
export function prepareStates(declared: Declared): States & { read: DesiredObject[] } {
  const { compiled, further, variables } = declared
  const template = collectTemplateObjects(compiled)
  const read = collectReadObjects(compiled.template, further)
  const state = new ActualState([...template, ...read], answersOf(declared))
  for (const [name, value] of Object.entries(compiled.outputs)) {
    const [only, ...others] = value instanceof Unknown ? (value.pattern ?? []) : []
    const said = variables[name] ?? further.outputs[name]
    if (typeof only === 'object' && others.length === 0 && said) state.record(only, said)
  }
  const objects = [...template, ...collectHookObjects(declared, template, state)]
  const names = nameObjects(objects, state, listNames(further))
  return { objects, read, state, names }
}

/** Reads only. Throws a Problem that names the missing rights. */
export async function runWhatIf(
  declared: Declared,
  directory: Pick<Directory, 'get' | 'list'>,
  { exceptions, today, ...policy }: Policy,
): Promise<WhatIf> {
  const { read, ...states } = prepareStates({ ...declared, deployer: policy.deployer })
  const { objects, state } = states
  const { tenantId, variables, further, places } = declared
  const environment = variables.AZURE_ENV_NAME ?? ''
  const declaredProperties = objects.map((one) => resolveObject(one, state))
  const environmentTags = findEnvironmentTags(declaredProperties, environment)
  const around = await readActual(directory, [...objects, ...read], state, environmentTags)
  const { changes, pending } = findChanges(states, { ...policy, tenantId, environmentTags })
  const found = [...findUnmanaged(states, policy.deployer, further), ...pending.flatMap(findAssumed)]
  return {
    ...states,
    environment,
    tenantId,
    changes,
    pending: pending.filter(({ assumed }) => assumed === undefined),
    blockers: findBlockers(states, around.deleted, read, further.disabledFirst),
    unreadable: findUnreadable(declared.compiled.unreadable, places),
    places,
    orphans: findOrphans(states, around, environmentTags, changes),
    ...applyExceptions(found, exceptions, { objects, environment, today }),
    notes: [...around.notes, ...noteUnfamiliar(states)],
  }
}

/** A host that is known in part only: it fits, but nobody can say that it is the one. */
function findAssumed({ key, type, title, path, text, assumed, isMade }: Pending): Unmanaged[] {
  if (assumed === undefined) return []
  const reason = `Is taken for ${text}; azd's environment does not record what is in braces.`
  // As the rules for addresses: what the deployment makes is its own, any other host may be anybody's.
  const grade = isMade ? 'medium' : 'high'
  return [{ key, type, title, kind: path, value: assumed, grade, reason }]
}

export type Surroundings = Asked & { directory: Pick<Directory, 'get' | 'list'> }

/** The what-if of an environment. Throws a Problem when a right to read is missing. */
export async function askWhatIf(context: Surroundings, question: Question): Promise<WhatIf> {
  const [declared, policy] = await Promise.all([
    loadDeclared(context, question),
    loadPolicy(context, question),
  ])
  return runWhatIf(declared, context.directory, policy)
}
