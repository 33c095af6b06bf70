/** After a deployment: the directory must be as declared. */
import { appendFile } from 'node:fs/promises'
import { z } from 'zod'
import { identityPreview } from './identity-preview.ts'
import { runStep } from './step.ts'

await runStep(import.meta, { GITHUB_STEP_SUMMARY: z.string() }, async ({ GITHUB_STEP_SUMMARY }) => {
  const { state, markdown } = await identityPreview(['--drift'])
  await appendFile(GITHUB_STEP_SUMMARY, `${markdown}\n`)
  console.log(markdown)
  if (state === 'unchanged') return
  throw new Error(
    state === 'changed'
      ? 'The deployment succeeded, yet identities are not as declared. Run the workflow again; if that does not help: npm run whatif'
      : 'The deployment succeeded, but whether identities are as declared cannot be told. Run the job again.',
  )
})
