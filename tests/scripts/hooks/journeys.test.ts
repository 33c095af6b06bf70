import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { ASSIGN_GRAPH, DEPLOY_GRAPH } from '../../../scripts/github/pipeline-deployment.ts'
import { postdown } from '../../../scripts/hooks/postdown.ts'
import { postprovision } from '../../../scripts/hooks/postprovision.ts'
import { predown } from '../../../scripts/hooks/predown.ts'
import { preprovision } from '../../../scripts/hooks/preprovision.ts'
import { consent } from '../../../scripts/identity/consent.ts'
import { hookObjects } from '../../../scripts/identity/hook-objects.ts'
import { recycleBin } from '../../../scripts/identity/recycle-bin.ts'
import { verify } from '../../../scripts/identity/verify.ts'
import { summarize } from '../../../scripts/whatif/report.ts'
import { askWhatIf } from '../../../scripts/whatif/whatif.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Stage, startStage } from '../stage.ts'

type Asked = Parameters<Stage['context']>[1]

/** Who deploys, with what rights, and what each of them has to leave to an administrator. */
interface Deployer {
  title: string
  as: (stage: Stage) => Promise<{ context: Asked; environment: Record<string, string>; token?: string }>
  mayConsent: boolean
  mayPurge: boolean
}

const DEPLOYERS: Deployer[] = [
  {
    title: 'a member without a directory role, where everybody may register apps',
    as: async (stage) => {
      stage.directory.authorizationPolicy.allowedToCreateApps = true
      return { context: { operator: 'Quinn' }, environment: {} }
    },
    mayConsent: false,
    mayPurge: false,
  },
  {
    title: 'an Application Developer',
    as: async () => ({ context: { operator: 'Peter' }, environment: {} }),
    mayConsent: false,
    mayPurge: false,
  },
  {
    title: 'a pipeline',
    as: async (stage) => {
      const token = await stage.appToken([...DEPLOY_GRAPH, ...ASSIGN_GRAPH])
      const { oid } = decodeJwt<{ oid: string }>(token)
      const environment = { CI: 'true', AZURE_PRINCIPAL_ID: oid, AZURE_PRINCIPAL_TYPE: 'ServicePrincipal' }
      return { context: { token }, environment, token }
    },
    mayConsent: true,
    mayPurge: true,
  },
]

for (const { title, as, mayConsent, mayPurge } of DEPLOYERS) {
  describe(`the whole life of an environment of ${title}`, { skip: withoutCompiler }, () => {
    let stage: Stage
    let deployer: Awaited<ReturnType<Deployer['as']>>
    let deployed: Record<string, string>
    before(async () => {
      stage = await startStage()
      deployer = await as(stage)
    })
    after(() => stage.stop())
    afterEach(() => stage.resetWrites())

    const own = (given: Record<string, string>) =>
      stage.context({ ...given, ...deployer.environment }, { ...deployer.context, seconds: 0.1 })
    const administrator = (given: Record<string, string>) => stage.context(given, { seconds: 2 })
    const up = async () => {
      await preprovision(await own(stage.base))
      const { operator, token } = deployer.context ?? {}
      deployed = await stage.up({
        environment: deployer.environment,
        ...(operator && { operator }),
        ...(token && { token }),
      })
      const context = await own(deployed)
      await postprovision(context)
      return context.lines
    }
    const changes = async () => {
      const context = await own(deployed)
      return summarize(await askWhatIf(context, { further: hookObjects(context) }))
    }

    it('comes up, with a consent pack where consent is for others to give', async () => {
      const lines = await up()
      assert.equal(
        lines.some((line) => line.startsWith('! consent is missing and you may not grant it')),
        !mayConsent,
      )
      assert.deepEqual(
        lines.filter((line) => /^✗|not verified/.test(line)),
        [],
      )
      if (!mayConsent) await consent(await administrator(deployed))
    })

    it('has nothing to change in the what-if, and is not written to by a second up', async () => {
      assert.equal((await changes()).result, 'none')
      stage.resetWrites()
      await up()
      assert.deepEqual(
        stage.writes().filter(({ changed }) => changed),
        [],
      )
    })

    it('is told what somebody adds by hand', async () => {
      const app = stage.directory.application(deployed.ENTRA_CLIENT_ID ?? '')
      assert.ok(app)
      app.federatedIdentityCredentials.push({
        id: randomUUID(),
        name: 'by-hand',
        issuer: 'https://token.actions.githubusercontent.com',
        subject: 'repo:evil/evil:ref:refs/heads/main',
        audiences: ['api://AzureADTokenExchange'],
        description: null,
      })
      const context = await own(deployed)
      await assert.rejects(verify(context, 0), { message: /1 of \d+ checks failed: .+federated/ })
      assert.ok(context.lines.some((line) => /^✗ .+by-hand/.test(line)))
      assert.equal((await changes()).unmanaged, 1)
      app.federatedIdentityCredentials.pop()
      await verify(await own(deployed), 0)
    })

    it('goes down, names what only an administrator can purge, and comes up again', async () => {
      const announced = await own(deployed)
      await predown(announced)
      assert.equal(announced.lines.join('\n').match(/^ {2}- /gm)?.length, 8)
      const context = await own(stage.base)
      await postdown(context)
      const { applications, groups, deletedItems } = stage.directory
      assert.deepEqual([applications, groups], [[], []])
      const left = Object.values(deletedItems).flat().length
      assert.equal(left === 0, mayPurge)
      assert.equal(/recycle-bin -- purge/.test(context.lines.at(-1) ?? ''), !mayPurge)
      if (!mayPurge) await recycleBin(await administrator(stage.base), 'purge')
      assert.deepEqual(deletedItems, { applications: [], servicePrincipals: [], groups: [] })
      await up()
      if (!mayConsent) await consent(await administrator(deployed))
      assert.equal((await changes()).result, 'none')
    })
  })
}
