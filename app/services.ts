import type { AuditSinks } from './audit.ts'
import { AuditTrail } from './audit-trail.ts'
import { Authorizer } from './authorize.ts'
import type { Config } from './config.ts'
import { Drain } from './drain.ts'
import type { ExpenseStore } from './expenses.ts'
import { AdminGroup } from './groups.ts'
import { SigningKeys } from './keys.ts'
import type { Log } from './log.ts'
import { McpServer } from './mcp.ts'
import { OnBehalfOf } from './obo.ts'
import type { Permissions } from './permissions.ts'
import { Statistics } from './statistics.ts'
import { Verifier } from './verifier.ts'

export type Services = ReturnType<typeof createServices>

/** Everything that the routes work with, each made once. Without `record` there is no telemetry. */
export function createServices(
  config: Config,
  permissions: Permissions,
  log: Log,
  store: ExpenseStore,
  record?: AuditSinks['record'],
) {
  const keys = new SigningKeys(config.authorityHost, config.tenantId, { log })
  // permissions.ts makes sure that admin tools do not stand without Microsoft Graph.
  const adminGroup = new AdminGroup(config.endpoints.graph ?? '', config.adminGroupId)
  const obo = new OnBehalfOf(config)
  return {
    config,
    permissions,
    log,
    drain: new Drain(),
    trail: new AuditTrail({ log, record }),
    keys,
    store,
    statistics: new Statistics(store, log),
    verifier: new Verifier(config, keys),
    authorizer: new Authorizer({ permissions, serverUrl: config.serverUrl, obo, adminGroup, log }),
    mcp: new McpServer(permissions),
  }
}
