/** After a deployment: the directory must be as declared. */
import { identityPreview, REPORTS } from './identity-preview.ts'
import { runStep } from './step.ts'

await runStep(import.meta, REPORTS, async (reports) => {
  const { state, markdown } = await identityPreview(reports)
  console.log(markdown)
  if (state === 'unchanged') return
  throw new Error(
    state === 'changed'
      ? 'The deployment succeeded, yet identities are not as declared. Run the workflow again; if that does not help: npm run whatif'
      : 'The deployment succeeded, but whether identities are as declared cannot be told. Run the job again.',
  )
})
