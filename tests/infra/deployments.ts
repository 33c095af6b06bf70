/** The predicted deployments that the facts are read from: fresh where a compiler is, committed otherwise. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { findBicep } from '../../scripts/bicep/compiler.ts'
import { readable } from '../scripts/bicep/deployed-values.ts'
import { type PredictedResource, Prediction, predict } from './prediction.ts'
import { parameterSets, snapshotFile, target } from './snapshots.ts'

export const compiler = findBicep()
/** For tests that need a compiler: false, or the reason why they are skipped. */
export const withoutCompiler = compiler
  ? false
  : 'no Bicep compiler: committed snapshots are used (BICEP=/path/to/bicep, or az bicep install)'
if (withoutCompiler) console.log(`# ${withoutCompiler}`)

export const sets = Object.keys(parameterSets)
export type Environment = Record<string, string>
export const environmentOf = (set: string): Environment => {
  const environment = parameterSets[set]
  if (!environment) throw new Error(`tests/infra/parameter-sets.json has no set ${set}`)
  return environment
}

export const committed = async (set: string): Promise<Prediction> =>
  Prediction.parse(JSON.parse(await readFile(snapshotFile(set), 'utf8')))
export const fresh = (environment: Environment): Promise<Prediction> => predict(environment, target)

const taken = new Map<string, Promise<Prediction>>()
export const deploymentOf = (set: string): Promise<Prediction> => {
  const prediction = taken.get(set) ?? (compiler ? fresh(environmentOf(set)) : committed(set))
  taken.set(set, prediction)
  return prediction
}

export const resourcesOf = async (set: string, type: string): Promise<PredictedResource[]> =>
  (await deploymentOf(set)).predictedResources.filter((found) => found.type.split('@')[0] === type)

/** The only resource of a type, its properties in the shape that the test expects. */
export const onlyOne = async <T extends z.ZodType>(
  set: string,
  type: string,
  shape: T,
): Promise<z.infer<T>> => {
  const found = await resourcesOf(set, type)
  if (found.length !== 1)
    throw new Error(`${set}: ${found.length} resources of type ${type}, one was expected`)
  return shape.parse(found[0]?.properties)
}

const Scope = z.object({ id: z.guid(), value: z.string(), type: z.string(), isEnabled: z.boolean() })
const Application = z.looseObject({
  uniqueName: z.string(),
  displayName: z.string(),
  signInAudience: z.string().optional(),
  identifierUris: z.array(z.string().transform(readable)).optional(),
  api: z
    .object({
      requestedAccessTokenVersion: z.number(),
      oauth2PermissionScopes: z.array(Scope),
      preAuthorizedApplications: z
        .array(
          z.object({ appId: z.string().transform(readable), delegatedPermissionIds: z.array(z.string()) }),
        )
        .optional(),
    })
    .optional(),
  passwordCredentials: z.array(z.unknown()).optional(),
  keyCredentials: z.array(z.unknown()).optional(),
  publicClient: z.object({ redirectUris: z.array(z.string()) }).optional(),
  tags: z.array(z.string()).optional(),
})
export type Application = z.infer<typeof Application>
export type AppKind = 'api' | 'dev' | 'client'

/** Every declaration over one app's unique name, in the order of their unique names: first and second pass. */
export const passesOf = async (set: string, kind: AppKind): Promise<Application[]> =>
  (await resourcesOf(set, 'Microsoft.Graph/applications'))
    .map(({ properties }) => Application.parse(properties))
    .filter(({ uniqueName }) => uniqueName.startsWith(`mcp-expenses-${kind}-`))
    .toSorted((a, b) => Number(Boolean(a.identifierUris)) - Number(Boolean(b.identifierUris)))

/** What an app is after both passes. */
export const appOf = async (set: string, kind: AppKind): Promise<Application> =>
  Application.parse(Object.assign({}, ...(await passesOf(set, kind))))
