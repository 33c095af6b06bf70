/** The workflow files, read as data. */
import { readdir, readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'

const FOLDER = new URL('../../../.github/workflows/', import.meta.url)
const Texts = z.record(z.string(), z.coerce.string())
const Step = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  'continue-on-error': z.boolean().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  env: Texts.optional(),
  with: Texts.optional(),
})
const Job = z.looseObject({
  if: z.string().optional(),
  environment: z.string().optional(),
  permissions: z.record(z.string(), z.string()),
  'timeout-minutes': z.number(),
  env: Texts.optional(),
  services: z.record(z.string(), z.object({ image: z.string() })).optional(),
  steps: z.array(Step),
})
const Workflow = z.looseObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.strictObject({}),
  concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.record(z.string(), Job),
})
export type Step = z.infer<typeof Step>
export type Job = z.infer<typeof Job>
export type Workflow = z.infer<typeof Workflow>

export const workflowFiles = (await readdir(FOLDER)).toSorted()
/** With the line ends of Unix, whatever the checkout made of them. */
export const textOf = async (file: string): Promise<string> =>
  (await readFile(new URL(file, FOLDER), 'utf8')).replaceAll('\r\n', '\n')
/** Refuses a file without permissions: {}, concurrency, or a job without rights and time-out of its own. */
export const workflowOf = async (file: string): Promise<Workflow> => Workflow.parse(parse(await textOf(file)))
export const jobOf = async (file: string, name: string): Promise<Job> => {
  const job = (await workflowOf(file)).jobs[name]
  if (!job) throw new Error(`${file} has no job ${name}`)
  return job
}
