/** Prints what the hooks write besides the template, as the file of --desired: for the what-if outside of this project. */
import { join } from 'node:path'
import { Problem } from './cli/problem.ts'
import { ROOT } from './cli/program.ts'
import { runScript } from './cli/script.ts'
import { hookObjects } from './identity/hook-objects.ts'

/** What a workflow has found out of the last deployment (github/settings.ts); azd's environment is not there. */
const OUTPUTS = ['SERVER_IDENTITY_PRINCIPAL_ID', 'AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN']

await runScript(
  import.meta,
  {
    help: 'node scripts/desired.ts\nPrints what the hooks write besides the template, for identity-what-if --desired.',
  },
  async (context) => {
    const { AZURE_TENANT_ID: tenantId } = context.environment
    if (!tenantId)
      throw new Problem({
        what: 'AZURE_TENANT_ID is missing.',
        why: 'The issuer of a credential is the tenant.',
        fix: 'azd env set AZURE_TENANT_ID <tenant id>',
      })
    const further = await hookObjects(context, join(ROOT, 'infra/main.bicepparam'))(tenantId)
    const outputs = OUTPUTS.flatMap((name) =>
      context.variables[name] ? [[name, context.variables[name]]] : [],
    )
    context.print(JSON.stringify({ ...further, outputs: Object.fromEntries(outputs) }))
  },
)
