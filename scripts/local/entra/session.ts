/** A sign-in that tokens may be issued for: behind every code, refresh token and device code. */
export interface Session {
  clientId: string
  userId: string
  /** As asked for; a later call without `scope` means this one. */
  scope: string
  /** False when a secret, certificate or federated assertion has to come with every redemption. */
  publicClient: boolean
  /** Only a page may redeem it, and no page anything else. */
  spa?: boolean
  /** A second factor was given, so Conditional Access has nothing left to ask. */
  steppedUp: boolean
  redirectUri?: string
  codeChallenge?: string
  nonce?: string
}
