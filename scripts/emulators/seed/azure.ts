import type { DayCost } from '../arm/query.ts'
import type { AzureSeed } from '../arm.ts'
import { TENANT_ID } from './apps.ts'
import { alice, bob, FINANCE } from './people.ts'

// Fixed ids, as those of the apps are.
export const PRODUCTION = '6b0c4f1e-2d3a-4c58-9e71-8a5d0f3c2b16'
export const SANDBOX = '7c1d5a2f-3e4b-4d69-8f82-9b6e104d3c27'

/** A little more towards the end of each month, so that days differ. */
const costsOf =
  (services: readonly DayCost[]) =>
  (day: string): DayCost[] => {
    const growth = 1 + Number(day.slice(-2)) / 100
    return services.map((cost) => ({ ...cost, amount: cost.amount * growth }))
  }

const cost = (service: string, amount: number, currency = 'EUR'): DayCost => ({ service, amount, currency })

/** Subscriptions of the tenant of `npm start`: Alice reads the costs of both, Bob those of the sandbox, others none. */
export const azureSeed = (): AzureSeed => ({
  subscriptions: [
    {
      ...{ id: PRODUCTION, displayName: 'Contoso Production', tenantId: TENANT_ID, state: 'enabled' },
      costs: costsOf([
        ...[cost('Azure Container Apps', 4.2), cost('Azure Cosmos DB', 7.5), cost('Log Analytics', 1.1)],
        ...[cost('Container Registry', 0.167), cost('Bandwidth', 0.04), cost('Azure Reservations', -0.5)],
        // Bought on the marketplace, and billed in dollars.
        cost('SaaS', 3.3, 'USD'),
      ]),
    },
    {
      ...{ id: SANDBOX, displayName: 'Contoso Sandbox', tenantId: TENANT_ID, state: 'enabled' },
      costs: costsOf([cost('Virtual Machines', 0.9), cost('Storage', 0.02)]),
    },
  ],
  roleAssignments: [
    { principalId: FINANCE, role: 'Cost Management Reader', subscription: PRODUCTION },
    { principalId: alice.id, role: 'Reader', subscription: SANDBOX },
    { principalId: bob.id, role: 'Cost Management Reader', subscription: SANDBOX },
    // A role, but none that reads costs.
    { principalId: bob.id, role: 'Storage Blob Data Reader', subscription: PRODUCTION },
  ],
})
