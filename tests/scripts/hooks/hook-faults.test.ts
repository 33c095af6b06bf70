import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { postdown } from '../../../scripts/hooks/postdown.ts'
import { postprovision } from '../../../scripts/hooks/postprovision.ts'
import { predown } from '../../../scripts/hooks/predown.ts'
import { preprovision } from '../../../scripts/hooks/preprovision.ts'
import { verify } from '../../../scripts/identity/verify.ts'
import type { Fault } from '../emulators/faults.ts'
import type { Kind } from '../emulators/graph/replication.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Stage, startStage } from '../stage.ts'

const isWrite = ({ method, url }: { method: string; url: string }) =>
  method !== 'GET' && !url.endsWith('$batch')

/** Each passes by itself; the last two hit when the work may have been done already. */
const PASSING = {
  'a 503': { status: 503 },
  'a 429': { status: 429, retryAfter: 0 },
  'a lost answer': { status: 500, late: true },
  // Parts of a batch have no connection of their own.
  'a broken connection': { close: true, only: ({ method }) => method !== 'GET' },
} as const satisfies Record<string, Fault>

describe('hooks under faults', { skip: withoutCompiler }, () => {
  let stage: Stage
  let deployed: Record<string, string>
  let fresh: ReturnType<Stage['save']>
  let complete: ReturnType<Stage['save']>

  before(async () => {
    stage = await startStage()
    deployed = await stage.up()
    fresh = stage.save()
    await postprovision(await stage.context(deployed))
    complete = stage.save()
  })
  after(() => stage.stop())

  const provenComplete = async () => {
    const proof = await stage.context(deployed)
    await verify(proof, 0)
    assert.deepEqual(
      proof.lines.filter((line) => !line.startsWith('✓')),
      [],
    )
    stage.resetWrites()
    await postprovision(await stage.context(deployed))
    assert.deepEqual(stage.writes(), [], 'a further run writes nothing')
    const dev = stage.directory.application(deployed.ENTRA_DEV_CLIENT_ID ?? '')
    assert.equal(dev?.passwordCredentials.length, 1, 'no secret is left over')
  }
  const provenGone = () => {
    const { applications, groups, deletedItems } = stage.directory
    assert.deepEqual(
      { applications, groups, deletedItems },
      {
        applications: [],
        groups: [],
        deletedItems: { applications: [], servicePrincipals: [], groups: [] },
      },
    )
  }
  /** Calls `attempt` with the fault at the first call, then at the second, until there is no such call any more. */
  const atEveryCall = async (
    fault: Fault,
    attempt: (inject: () => void) => Promise<void>,
  ): Promise<number> => {
    for (let at = 1; ; at += 1) {
      let isHit = false
      await attempt(() => {
        const injected = stage.faults.on('graph', { ...fault, times: 1, at })
        void injected.reached(1).then(() => {
          isHit = true
        })
      })
      if (!isHit) return at - 1
    }
  }

  for (const [name, fault] of Object.entries(PASSING)) {
    it(`complete the identity in spite of ${name} at any call`, async () => {
      const calls = await atEveryCall(fault, async (inject) => {
        fresh.restore()
        await stage.empty()
        const context = await stage.context(deployed)
        inject()
        await postprovision(context)
        stage.faults.clear()
        await provenComplete()
      })
      assert.ok(calls >= 5, `${calls} calls`)
    })
  }

  it('check before a deployment in spite of a 503 or 429 at any call', async () => {
    complete.restore()
    for (const fault of [PASSING['a 503'], PASSING['a 429']]) {
      const calls = await atEveryCall(fault, async (inject) => {
        const context = await stage.context(deployed)
        inject()
        await preprovision(context)
        stage.faults.clear()
      })
      assert.ok(calls > 10, `${calls} calls`)
    }
    assert.deepEqual(stage.writes(), [])
  })

  for (const name of ['a 429', 'a lost answer'] as const) {
    it(`remove everything in spite of ${name} at any call`, async () => {
      const calls = await atEveryCall(PASSING[name], async (inject) => {
        complete.restore()
        const context = await stage.context(stage.base, { seconds: 2 })
        inject()
        await postdown(context)
        stage.faults.clear()
        provenGone()
      })
      assert.ok(calls > 30, `${calls} calls`)
    })
  }

  it('finish a down that broke off at any write', async () => {
    complete.restore()
    for (let at = 1, broken = true; broken; at += 1) {
      complete.restore()
      await predown(await stage.context(deployed))
      const context = await stage.context(stage.base, { seconds: 0 })
      stage.faults.on('graph', { close: true, at, only: isWrite })
      broken = await postdown(context).then(
        () => false,
        () => true,
      )
      stage.faults.clear()
      await postdown(await stage.context(stage.base, { seconds: 0.05 }))
      provenGone()
      if (!broken) assert.ok(at > 16, `${at} writes`)
    }
  })

  const DELAYED: Kind[] = [
    'application',
    'servicePrincipal',
    'group',
    'federatedIdentityCredential',
    'oauth2PermissionGrant',
    'appRoleAssignment',
  ]
  for (const kind of DELAYED) {
    it(`complete the identity while a fresh ${kind} is invisible and lists of it lag`, async () => {
      fresh.restore()
      await stage.empty()
      stage.replication.slow(kind, { reads: 4, lists: 4 })
      if (kind === 'application' || kind === 'servicePrincipal') {
        // As if they had been made a moment ago.
        for (const { id } of [...stage.directory.applications, ...stage.directory.servicePrincipals])
          stage.replication.created(kind, id)
      }
      await postprovision(await stage.context(deployed))
      stage.replication.catchUp()
      await provenComplete()
    })
  }

  it('remove everything while the recycle bin and all lists lag', async () => {
    complete.restore()
    for (const kind of [...DELAYED, 'deletedItem'] as const)
      stage.replication.slow(kind, { reads: 4, lists: 4 })
    await predown(await stage.context(deployed))
    await postdown(await stage.context(stage.base))
    stage.replication.catchUp()
    provenGone()
  })

  it('say what Graph said when it never recovers, and the rerun that helps', async () => {
    fresh.restore()
    stage.faults.on('graph', { status: 503 })
    await assert.rejects(postprovision(await stage.context(deployed, { seconds: 0 })), {
      name: 'DirectoryError',
      message:
        /refused GET \/applications\/.+: 503 ServiceUnavailable: The service failed\. \(request-id [\w-]{36}\)/,
    })
    stage.faults.clear()
  })
})
