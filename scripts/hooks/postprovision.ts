/** After `azd provision`: what Bicep cannot do, then the proof that everything is as it should be. */

import { type Context, runScript } from '../cli/script.ts'
import { consent, consentMissing } from '../identity/consent.ts'
import { devCredential } from '../identity/dev-credential.ts'
import { federate } from '../identity/federate.ts'
import { Unverifiable, verify } from '../identity/verify.ts'

/** Lists lag behind what has just been written; a real difference should not hold a deployment for long. */
const SETTLING_SECONDS = 120

export async function postprovision(context: Context): Promise<void> {
  const { environment, print } = context
  print(`✓ ${await federate(context)}`)
  const result = await consent(context)
  if (result.granted) print(`✓ ${result.text}`)
  else print(`! ${result.text}\n\n${result.pack}`)
  print(`✓ ${await devCredential(context)}`)
  // The rest is done first: who is asked for the consent should find everything else in place.
  if (!result.granted && environment.CONSENT_REQUIRED) throw consentMissing()
  await verify(context, Math.min(SETTLING_SECONDS, environment.DIRECTORY_PATIENCE_SECONDS)).catch(
    (error: unknown) => {
      // Whoever may deploy may not always read everything, and all that was written is in place.
      if (!(error instanceof Unverifiable)) throw error
      print(`! not verified: ${error.message}`)
    },
  )
}

await runScript(
  import.meta,
  {
    help: `
azd hooks run postprovision
1. the server's managed identity becomes the API app's federated credential   (alone: npx node scripts/identity/federate.ts)
2. admin consent for the downstream APIs, or a consent pack                   (alone: npm run consent)
3. a short-lived secret of the dev app in .env                                (alone: npx node scripts/identity/dev-credential.ts)
4. everything is read back and compared                                       (alone: npm run verify)
A second run writes nothing. CONSENT_REQUIRED=true turns a missing consent into a failure.`,
  },
  postprovision,
)
