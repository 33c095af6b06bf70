import type { Config } from '../config.ts'
import { ManagedIdentity } from './managed-identity.ts'

/** What the server itself signs in to Azure with: its identity; on a laptop, whoever is signed in to azd. */
export async function azureCredential({ azureIdentity }: Pick<Config, 'azureIdentity'>) {
  if (azureIdentity) return new ManagedIdentity(azureIdentity).credential
  // Loaded only where it is used: it is a quarter of the start-up time.
  const { AzureDeveloperCliCredential } = await import('@azure/identity')
  return new AzureDeveloperCliCredential()
}
