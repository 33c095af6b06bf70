/** In a pull request: both previews, saved for the step that reports them. Runs without any right on GitHub. */
import { writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { azurePreview } from './azure-preview.ts'
import { IdentityPreview, identityPreview } from './identity-preview.ts'
import { runStep } from './step.ts'

export const Preview = z.object({
  azure: z.object({ failed: z.boolean(), markdown: z.string() }),
  identity: IdentityPreview,
})
export type Preview = z.infer<typeof Preview>

await runStep(
  import.meta,
  { AZURE_ENV_NAME: z.string(), AZURE_LOCATION: z.string(), PREVIEW_FILE: z.string() },
  async ({ AZURE_ENV_NAME, AZURE_LOCATION, PREVIEW_FILE }) => {
    // One after the other: both compile the template in the same place.
    const identity = await identityPreview()
    const azure = await azurePreview(AZURE_ENV_NAME, AZURE_LOCATION)
    const preview: Preview = { azure, identity }
    await writeFile(PREVIEW_FILE, JSON.stringify(preview))
    console.log(`Identity: ${identity.state}, ${identity.high.length} of high risk`)
  },
)
