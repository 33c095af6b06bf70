/** The workbook that infra/monitor.bicep deploys, in the shapes that are known here: others are refused. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const TimeRange = z.strictObject({ durationMs: z.int() })
const Parameters = z.looseObject({
  name: z.literal('parameters'),
  content: z.looseObject({
    parameters: z.tuple([z.looseObject({ name: z.literal('TimeRange'), value: TimeRange })]),
  }),
})
const View = z
  .strictObject({
    type: z.literal(3),
    name: z.string(),
    content: z.strictObject({
      version: z.literal('KqlItem/1.0'),
      title: z.string(),
      query: z.string(),
      size: z.literal(0),
      timeContextFromParameter: z.literal('TimeRange'),
      queryType: z.literal(0),
      resourceType: z.literal('microsoft.operationalinsights/workspaces'),
      visualization: z.enum(['barchart', 'linechart', 'table']),
    }),
  })
  .transform(({ name, content }) => ({ name, ...content }))
export type View = z.infer<typeof View>

const Workbook = z
  .looseObject({ items: z.tuple([Parameters], View) })
  .transform(({ items: [{ content }, ...views] }) => ({
    /** Milliseconds before now that are shown when the workbook is opened. */
    range: content.parameters[0].value.durationMs,
    views,
  }))

export const readWorkbook = () =>
  Workbook.parse(JSON.parse(readFileSync(new URL('../../infra/workbook.json', import.meta.url), 'utf8')))

/** Of the last 24 hours; the grains of other ranges are not documented (azure-monitor/visualize/workbooks-time). */
const GRAINS: Readonly<Record<number, string>> = { 86400000: '30m' }

/** A view's query as the workbook sends it: Bicep has put in the server's name, the workbook puts in its parameters. */
export function queryOf({ query }: Pick<View, 'query'>, server: string, range: number): string {
  return query.replaceAll(/\{(\w+(?::\w+)?)\}/g, (_, parameter) => {
    const value = parameter === 'serverName' ? server : parameter === 'TimeRange:grain' && GRAINS[range]
    if (!value) throw new Error(`The parameter ${parameter} is not known for ${range} ms.`)
    return value
  })
}
