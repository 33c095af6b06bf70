/** What a parameter file of `infra/` would deploy under an azd environment, said by the compiler itself. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { runBicep } from '../bicep.ts'

const INFRA = fileURLToPath(new URL('../../infra/', import.meta.url))

const Resource = z.looseObject({
  type: z.string(),
  id: z.string().optional(),
  name: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.record(z.string(), z.json()).optional(),
})
export const Prediction = z.object({
  predictedResources: z.array(Resource),
  outputs: z.record(z.string(), z.json()).optional(),
})
export type PredictedResource = z.infer<typeof Resource>
export type Prediction = z.infer<typeof Prediction>

/** The ids that names are derived from and that the compiler cannot know. */
export interface Target {
  subscriptionId: string
  tenantId: string
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(byKey)
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}
const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : a > b ? 1 : 0)

/** Resources and keys in one order, whatever order the compiler chose; lists inside resources keep theirs. */
export const inOrder = (prediction: Prediction): Prediction => {
  const key = (resource: PredictedResource) =>
    `${resource.type} ${resource.id ?? ''} ${JSON.stringify(sorted(resource.properties))}`
  const predictedResources = prediction.predictedResources.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  return Prediction.parse(sorted({ ...prediction, predictedResources }))
}

/** Compiles a copy of `infra/`, because the compiler writes beside the parameter file. */
export const predict = async (
  environment: NodeJS.ProcessEnv,
  target: Target,
  template = 'main',
): Promise<Prediction> => {
  const folder = await mkdtemp(join(tmpdir(), 'prediction-'))
  try {
    await cp(INFRA, folder, { recursive: true })
    const ids = ['--subscription-id', target.subscriptionId, '--tenant-id', target.tenantId]
    const place = ['--location', environment.AZURE_LOCATION ?? '', '--deployment-name', template]
    const run = await runBicep(['snapshot', `${template}.bicepparam`, ...ids, ...place], {
      cwd: folder,
      env: environment,
    })
    if (run.code !== 0) {
      throw new Error(
        `infra/${template}.bicepparam does not compile with this azd environment:\n${run.stderr.trim().replaceAll(folder, 'infra')}`,
      )
    }
    return inOrder(
      Prediction.parse(JSON.parse(await readFile(join(folder, `${template}.snapshot.json`), 'utf8'))),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
