/** One thing that was looked at after a deployment, and what it is measured by. */
import type { Permissions } from '../../app/permissions.ts'
import type { Deployment, Environment } from '../cli/environment.ts'

export interface Finding {
  title: string
  /** What differs; undefined: nothing. */
  wrong: string | undefined
  fix: string
  /** Only an administrator can mend it: not a failure of whoever deploys. */
  isConsent?: boolean
}

export interface Measure {
  environment: Environment
  deployment: Deployment
  permissions: Permissions
}

export const REDEPLOY = 'azd provision --no-state'
export const REPEAT = 'azd hooks run postprovision'
