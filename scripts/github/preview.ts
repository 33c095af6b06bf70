/** In a pull request: both previews, saved for the step that reports them. Runs without any right on GitHub. */
import { writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { AzurePreview, azurePreview } from './azure-preview.ts'
import { IdentityPreview, identityPreview, REPORTS } from './identity-preview.ts'
import { runStep } from './step.ts'

export const Preview = z.object({ azure: AzurePreview, identity: IdentityPreview })
export type Preview = z.infer<typeof Preview>

// The template may be one that reads what it must not: az compiles it without looking.
const NOT_ASKED: AzurePreview = { failed: true, markdown: 'Not asked, because identities could not be told.' }

await runStep(
  import.meta,
  { AZURE_ENV_NAME: z.string(), AZURE_LOCATION: z.string(), PREVIEW_FILE: z.string(), ...REPORTS },
  async ({ AZURE_ENV_NAME, AZURE_LOCATION, PREVIEW_FILE, ...reports }) => {
    const identity = await identityPreview(reports)
    const azure = identity.state === 'failed' ? NOT_ASKED : await azurePreview(AZURE_ENV_NAME, AZURE_LOCATION)
    const preview: Preview = { azure, identity }
    await writeFile(PREVIEW_FILE, JSON.stringify(preview))
    console.log(`Identity: ${identity.state}, ${identity.high} of high risk`)
  },
)
