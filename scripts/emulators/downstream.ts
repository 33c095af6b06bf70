import type { Router } from 'express'
import { devopsRoutes } from './devops.ts'
import type { Entra } from './entra/entra.ts'

/**
 * The emulators of downstream APIs, by their names in infra/permissions.json; Microsoft Graph is a part of the tenant, and
 * Azure Resource Manager has subscriptions of its own (arm.ts).
 */
export const DOWNSTREAM: Readonly<Record<string, (entra: Entra) => Router>> = {
  devops: devopsRoutes,
}
