/** A tenant in which environments are deployed and asked about, without a process or a cloud. */
import { fileURLToPath } from 'node:url'
import { readDeclaration } from '../../../app/declaration.ts'
import type { Compiled } from '../../../scripts/bicep/compile.ts'
import type { Directory } from '../../../scripts/graph/directory.ts'
import { consent } from '../../../scripts/identity/consent.ts'
import { federate } from '../../../scripts/identity/federate.ts'
import { describeHooks } from '../../../scripts/identity/hook-objects.ts'
import type { Exception } from '../../../scripts/whatif/exceptions.ts'
import type { Perspective } from '../../../scripts/whatif/risk.ts'
import { runWhatIf, type WhatIf } from '../../../scripts/whatif/whatif.ts'
import { compileChanged } from '../../infra/changed-files.ts'
import { type DeployOptions, declaration, SUBSCRIPTION } from '../graph/directory-harness.ts'
import { startStage } from '../stage.ts'

const INFRA = fileURLToPath(new URL('../../../infra/', import.meta.url))

const compilations = new Map<string, Promise<Compiled>>()

export interface Question {
  /** What azd says; the last deployment's when left out. */
  variables?: Record<string, string>
  permissions?: unknown
  /** Contents of files of infra/ that differ for this once. */
  files?: Record<string, string>
  directory?: Pick<Directory, 'get' | 'list'>
  perspective?: Perspective
  exceptions?: readonly Exception[]
  ownSecrets?: readonly string[]
  today?: string
}

export type Rehearsal = Awaited<ReturnType<typeof startRehearsal>>

export async function startRehearsal() {
  const stage = await startStage()
  const before = { ...stage.base, AZURE_PRINCIPAL_ID: stage.operator('Olivia').oid }
  let deployed: Record<string, string> = before

  /** Azure's part of the template does not depend on what a deployment has put out. */
  const compiled = (variables: Record<string, string>, files: Record<string, string>) => {
    const environment = Object.fromEntries(
      Object.entries(variables).filter(([name]) => !/^(ENTRA|SERVER|COSMOS|GRAPH|SERVICE)_/.test(name)),
    )
    const key = JSON.stringify([environment, files])
    const { tenantId } = stage
    const made =
      compilations.get(key) ??
      compileChanged({ infra: INFRA, environment, subscriptionId: SUBSCRIPTION, tenantId, files })
    compilations.set(key, made)
    return made
  }
  const ask = async ({
    variables = deployed,
    permissions,
    files = {},
    directory,
    perspective = 'proposed',
    exceptions = [],
    ownSecrets = [],
    today = '2026-11-27',
  }: Question = {}): Promise<WhatIf> => {
    const text =
      permissions === undefined ? files : { ...files, 'permissions.json': JSON.stringify(permissions) }
    const context = await stage.context(variables)
    const declared = {
      compiled: await compiled(variables, text),
      further: describeHooks(context, {
        declaration: readDeclaration(JSON.stringify(permissions ?? (await declaration()))),
        tenantId: stage.tenantId,
        secrets: ownSecrets,
      }),
      variables,
      tenantId: stage.tenantId,
      places: new Map(),
    }
    const deployer = stage.operator('Olivia').oid
    const policy = { exceptions, deployer, perspective, today }
    return runWhatIf(declared, directory ?? context.directory, policy)
  }
  /** The hooks that write to the directory; they read the permissions.json of this project. */
  const hooks = async () => {
    const context = await stage.context(deployed)
    await federate(context)
    await consent(context)
  }
  return {
    ...stage,
    before,
    deployed: () => deployed,
    ask,
    hooks,
    async up(options?: DeployOptions) {
      deployed = await stage.up(options)
      await hooks()
      stage.resetWrites()
      return deployed
    },
    forget() {
      deployed = before
    },
  }
}

/** Ids that Entra makes up differ from run to run; those that somebody has written do not. */
export function steady(text: string, known: readonly string[]): string {
  const numbers = new Map<string, string>()
  const isKnown = (id: string) => known.some((one) => one.includes(id))
  return text
    .replaceAll(/(?<="id": ")[\w-]{40,60}(?=")/g, 'made-up-by-entra')
    .replaceAll(/http:\/\/localhost:\d{4,5}(?=\/[0-9a-f]{8}-)/g, 'https://login.microsoftonline.com')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
      if (isKnown(id)) return id
      const number =
        numbers.get(id) ?? `ffffffff-0000-4000-8000-${String(numbers.size + 1).padStart(12, '0')}`
      numbers.set(id, number)
      return number
    })
}
