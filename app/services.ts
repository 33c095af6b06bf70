import { Authorizer } from './auth/authorize.ts'
import { azureCredential } from './auth/azure-credential.ts'
import { AdminGroup } from './auth/groups.ts'
import { SigningKeys } from './auth/keys.ts'
import { OnBehalfOf } from './auth/obo.ts'
import { ServiceAccess } from './auth/services.ts'
import { Verifier } from './auth/verifier.ts'
import type { Config } from './config.ts'
import { CostManagement } from './costs/cost-management.ts'
import { DocumentIndex } from './documents/document-index.ts'
import { Drain } from './http/drain.ts'
import { McpServer } from './mcp/mcp.ts'
import type { Store } from './store/expenses.ts'
import { Statistics } from './store/statistics.ts'
import type { AuditSinks } from './telemetry/audit.ts'
import { AuditTrail } from './telemetry/audit-trail.ts'
import type { Log } from './telemetry/log.ts'
import { Downstream } from './tools/downstream.ts'

export type Services = ReturnType<typeof createServices>

/** Everything that the routes work with, each made once. Without `record` there is no telemetry. */
export function createServices(config: Config, log: Log, store: Store, record?: AuditSinks['record']) {
  const { permissions, endpoints } = config
  const keys = new SigningKeys(config.authorityHost, config.tenantId, { log })
  // declaration.ts makes sure that admin tools do not stand without Microsoft Graph.
  const adminGroup = new AdminGroup(endpoints.graph ?? '', config.adminGroupId)
  const obo = new OnBehalfOf(config)
  const serviceAccess = new ServiceAccess(permissions)
  const { serverUrl } = config
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
    authorizer: new Authorizer({ permissions, serverUrl, obo, adminGroup, serviceAccess, log }),
    serviceAccess,
    // Asked only by tools that name it in permissions.json.
    costs: new CostManagement(endpoints.arm ?? ''),
    documents: new DocumentIndex(endpoints.search ?? '', () => azureCredential(config)),
    downstream: new Downstream(permissions.downstreamApis, endpoints),
    mcp: new McpServer(permissions),
  }
}
