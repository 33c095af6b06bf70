/** A snapshot as it is committed: what a parameter file of `infra/` would deploy under an azd environment. */
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Target, write } from '../../scripts/bicep/compile.ts'

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

/** Azure's resources by type and id, Graph's behind them in the compiler's order, which is that of the writes. */
function inOrder(prediction: Prediction): Prediction {
  const place = ({ type, id = '' }: PredictedResource) =>
    type.startsWith('Microsoft.Graph/') ? '~' : `${type} ${id}`
  const predictedResources = prediction.predictedResources.toSorted((a, b) =>
    place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0,
  )
  return Prediction.parse(sorted({ ...prediction, predictedResources }))
}

export const predict = async (
  environment: NodeJS.ProcessEnv,
  target: Target,
  name = 'main',
): Promise<Prediction> => {
  const parameters = `${name}.bicepparam`
  const { snapshot } = await write({ infra: INFRA, environment, parameters, ...target })
  return inOrder(Prediction.parse(snapshot))
}
