/** The what-if of identity changes: load, desired and actual state, difference, risk; the reports show the result. */
import { Unknown } from '../bicep/value.ts'
import type { Context } from '../cli/script.ts'
import type { Directory } from '../graph/directory.ts'
import { readActual } from './actual.ts'
import { ActualState, Names, type States } from './actual-state.ts'
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
  type Permissions,
  resolveObject,
} from './desired.ts'
import { applyExceptions, type Sorted } from './exceptions.ts'
import { loadDeclared, loadPolicy, type Policy, type Question } from './load.ts'
import { findUnmanaged, noteUnfamiliar, type Unmanaged } from './unmanaged.ts'

/** With the states for the map. */
export interface WhatIf extends States, Sorted {
  environment: string
  tenantId: string
  changes: Change[]
  /** What is known only after the deployment: neither changes nor no changes. */
  pending: Pending[]
  blockers: Blocker[]
  orphans: Orphan[]
  /** What could not be told. */
  notes: string[]
}

/** What permissions.json calls clients, APIs and permissions, by their ids. */
function namesIn({ clients, downstreamApis }: Permissions): Map<string, string> {
  const named = [
    ...clients.map(({ appId, name }) => [appId, name] as const),
    ...downstreamApis.map(({ appId, displayName }) => [appId, displayName] as const),
    ...downstreamApis.flatMap(({ permissions }) => permissions.map(({ id, value }) => [id, value] as const)),
  ]
  return new Map(named.map(([id, name]) => [id.toLowerCase(), name]))
}

/** What the compiler leaves open although the cloud, the target and the one who asks answer it. */
const answersOf = ({ tenantId, authorityHost, variables, deployer }: Declared) => ({
  'environment()': { authentication: { loginEndpoint: `${authorityHost}/` } },
  'tenant()': { tenantId },
  'subscription()': { subscriptionId: variables.AZURE_SUBSCRIPTION_ID ?? '', tenantId },
  ...(deployer === undefined ? {} : { 'deployer()': { objectId: deployer, tenantId } }),
})

/** Both states before anything has been read: what the map of the declared state needs. */
export function prepareStates(declared: Declared): States & { read: DesiredObject[] } {
  const { compiled, permissions, variables } = declared
  const template = collectTemplateObjects(compiled)
  const read = collectReadObjects(compiled.template, permissions)
  const state = new ActualState([...template, ...read], answersOf(declared))
  for (const [name, value] of Object.entries(compiled.outputs)) {
    const [only, ...others] = value instanceof Unknown ? (value.pattern ?? []) : []
    const said = variables[name]
    if (typeof only === 'object' && others.length === 0 && said) state.record(only, said)
  }
  const objects = [...template, ...collectHookObjects(declared, template, state)]
  const names = new Names(objects, state, permissions ? namesIn(permissions) : new Map())
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
  const { tenantId, variables } = declared
  const environment = variables.AZURE_ENV_NAME ?? ''
  const declaredProperties = objects.map((one) => resolveObject(one, state))
  const environmentTags = findEnvironmentTags(declaredProperties, environment)
  const around = await readActual(directory, [...objects, ...read], state, environmentTags)
  const { changes, pending } = findChanges(states, { ...policy, tenantId, environmentTags })
  const found = [...findUnmanaged(states, policy), ...pending.flatMap(findAssumed)]
  return {
    ...states,
    environment,
    tenantId,
    changes,
    pending: pending.filter(({ assumed }) => assumed === undefined),
    blockers: findBlockers(states, around.deleted, read),
    orphans: findOrphans(states, around, environmentTags, changes),
    ...applyExceptions(found, exceptions, { objects, environment, today }),
    notes: [...around.notes, ...noteUnfamiliar(states)],
  }
}

/** A host that is known in part only: it fits, but nobody can say that it is the one. */
const findAssumed = ({ key, type, title, path: kind, text, assumed: value }: Pending): Unmanaged[] => {
  const reason = `Is taken for ${text}; azd's environment does not record what is in braces.`
  return value === undefined ? [] : [{ key, type, title, kind, value, grade: 'medium', reason }]
}

/** The what-if of an azd environment. Throws a Problem when a right to read is missing. */
export async function askWhatIf(
  context: Pick<Context, 'environment' | 'variables' | 'operator' | 'compile' | 'directory' | 'root'>,
  question: Question = {},
): Promise<WhatIf> {
  const [declared, policy] = await Promise.all([
    loadDeclared(context, question.parameters),
    loadPolicy(context, question),
  ])
  return runWhatIf(declared, context.directory, policy)
}
