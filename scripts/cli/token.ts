/** Whoever a token is of: one sign-in for many requests. */
import type { AccessToken } from '@azure/identity'
import { decodeJwt } from 'jose'
import { z } from 'zod'

const Claims = z.object({
  tid: z.string().optional(),
  oid: z.string().optional(),
  idtyp: z.string().optional(),
  roles: z.array(z.string()).default([]),
})
/** What the token says about its holder; only for messages and checks before anything is done. */
export type Claims = z.infer<typeof Claims>

export interface Operator {
  token: () => Promise<string>
  claims: () => Promise<Claims>
}

/** Asks again two minutes before the end of what it holds. */
export function operatorWith(ask: () => Promise<AccessToken>): Operator {
  let current: Promise<AccessToken> | undefined
  const token = async () => {
    const held = await current
    // Many requests start at once: they share one run of the program that signs in.
    if (!held || held.expiresOnTimestamp < Date.now() + 120_000) current = ask()
    return (await current)?.token ?? ''
  }
  return {
    token,
    claims: async () => {
      const text = await token()
      try {
        return Claims.parse(decodeJwt(text))
      } catch {
        // Graph alone may read its tokens; then nothing is known beforehand.
        return Claims.parse({})
      }
    },
  }
}
