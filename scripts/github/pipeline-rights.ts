/** What infra/pipeline.bicep gives, in words for the administrator who approves it. A test compares both. */

export const REVIEW_GRAPH = ['Application.Read.All', 'DelegatedPermissionGrant.Read.All', 'Group.Read.All']
export const DEPLOY_GRAPH = [
  'Application.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Group.ReadWrite.All',
] as const
/** Only where users are assigned to the app. */
export const ASSIGN_GRAPH = ['AppRoleAssignment.ReadWrite.All'] as const

/** `restricted`: whether only assigned users get a token. */
export const approvals = (restricted: boolean): string =>
  `  Review identity: pull requests and branch main; reads only
    Azure, subscription:     Reader, Deployment preview (what-if and validate)
    Microsoft Graph:         ${REVIEW_GRAPH.join(', ')}
  Deploy identity: GitHub environment production, branch main only; writes
    Azure, subscription:     Subscription deployment (starts deployments, reads how they went; changes nothing alone)
    Azure, resource group:   Contributor; Role Based Access Control Administrator for AcrPull and Monitoring
                             Metrics Publisher, to service principals only
    Microsoft Graph:         ${[...DEPLOY_GRAPH, ...(restricted ? ASSIGN_GRAPH : [])].join(', ')}
  The Graph rights of the deploy identity reach the whole tenant${
    restricted
      ? '; AppRoleAssignment.ReadWrite.All can give\n  any right to anybody and is not needed with RESTRICT_TO_ASSIGNED_USERS=false'
      : ''
  }.`
