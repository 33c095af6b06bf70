import type { JWTPayload } from 'jose'
import { loadPermissions } from '../../../app/permissions.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { startTenant } from './tenant.ts'

export const ARM = 'https://management.azure.com'
export type Azure = Awaited<ReturnType<typeof startAzure>>

/** The seeded tenant with its subscriptions, and tokens of Azure Resource Manager as the exchange gives them. */
export async function startAzure(now = Date.now) {
  const seed = seedDirectory({ mcpUrls: ['http://localhost:8080/mcp'], permissions: loadPermissions() })
  const tenant = await startTenant({ ...seed, port: 0, now })
  const userId = (name: string) => {
    const user = seed.users.find((one) => one.name === name)
    if (!user) throw new Error(`no user ${name}`)
    return user.oid
  }
  const subscription = (displayName: RegExp) => {
    const found = tenant.arm.subscriptions.find((one) => displayName.test(one.displayName))
    if (!found) throw new Error(`no subscription ${displayName}`)
    return found
  }
  return {
    seed,
    tenant,
    arm: tenant.arm,
    userId,
    production: subscription(/Production/),
    sandbox: subscription(/Sandbox/),
    tokenOf: (name: string, changes: JWTPayload = {}) => {
      const seconds = Math.floor(now() / 1000)
      return tenant.sign({
        ...{ iss: `${tenant.url}/${seed.tenantId}/`, aud: ARM, ver: '1.0', tid: seed.tenantId },
        ...{ iat: seconds, nbf: seconds, exp: seconds + 3600 },
        ...{ oid: userId(name), scp: 'user_impersonation', appid: seed.apiAppId, ...changes },
      })
    },
  }
}
