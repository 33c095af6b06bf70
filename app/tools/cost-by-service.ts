import { z } from 'zod'
import { summarize } from '../costs/summary.ts'
import { askForCosts, checkPeriod, costArguments, inWordsOf } from './cost-question.ts'
import { defineTool } from './tool.ts'

export const costByService = defineTool({
  name: 'cost_by_service',
  title: 'Azure costs by service',
  description:
    'What an Azure subscription cost in a period, by service, largest first, each currency apart. Only what the signed-in user may read.',
  annotations: { readOnlyHint: true, openWorldHint: true },
  input: z
    .strictObject({
      ...costArguments,
      top: z
        .int()
        .min(1, 'must be at least 1')
        .max(50, 'must be at most 50')
        .default(10)
        .describe('How many services to name; the others are added up'),
    })
    .superRefine(checkPeriod),
  output: z.object({
    subscription: z.string(),
    from: z.string(),
    to: z.string(),
    totals: z.array(
      z.object({
        currency: z.string().describe('ISO 4217'),
        total: z.number(),
        rest: z.number().describe('What the services that are not named cost together'),
        rest_services: z.int(),
      }),
    ),
    services: z.array(z.object({ currency: z.string(), service: z.string(), amount: z.number() })),
  }),
  run: async ({ subscription, from, to, top }, context) => {
    const question = { subscription, period: { from, to }, daily: false }
    const onPage = (pages: number) =>
      context.report?.(
        pages,
        undefined,
        pages === 1 ? '1 page of costs read' : `${pages} pages of costs read`,
      )
    const costs = await inWordsOf(context, () => askForCosts(question, context, { onPage }))
    const summary = summarize(costs, top)
    const totals = summary.map(({ currency, total, rest }) => ({
      ...{ currency, total, rest: rest.amount, rest_services: rest.services },
    }))
    const services = summary.flatMap((own) => own.services.map((one) => ({ currency: own.currency, ...one })))
    return { structured: { subscription, from, to, totals, services } }
  },
})
