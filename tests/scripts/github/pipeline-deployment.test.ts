import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deploymentName } from '../../../scripts/github/pipeline-deployment.ts'
import { deploys, pipeline, world } from './pipeline-run.ts'
import { type Answer, type Call, notHere } from './project.ts'

const lines = (calls: Call[]) => calls.map(({ program, args }) => `${program} ${args.join(' ')}`)
const indexOf = (calls: Call[], part: string) => lines(calls).findIndex((line) => line.includes(part))

describe('The deployment of npm run pipeline', { skip: notHere, concurrency: 2 }, () => {
  it('has a name that azd down does not take for one of the environment', async () => {
    const { calls } = await pipeline(world())
    const { args = [] } = calls[indexOf(calls, 'sub create')] ?? {}
    const name = args[args.indexOf('--name') + 1] ?? ''
    assert.equal(name, deploymentName('dev'))
    assert.doesNotMatch(name, /dev/)
  })

  it('waits for fresh identities to be known', async () => {
    const notYet: Answer = {
      program: 'az',
      match: 'sub create',
      code: 1,
      stderr: 'PrincipalNotFound',
      times: 2,
    }
    const { code, output, calls } = await pipeline(world({}, [notYet, deploys]))
    assert.equal(code, 0, output)
    assert.equal(lines(calls).filter((line) => line.includes('sub create')).length, 3)
  })

  it('names what an administrator must approve when the rights do not suffice', async () => {
    const stderr = 'Authorization_RequestDenied: Insufficient privileges'
    const { code, output, calls } = await pipeline(
      world({}, [{ program: 'az', match: 'sub create', code: 1, stderr }]),
    )
    assert.equal(code, 1)
    assert.match(
      output,
      /Privileged Role Administrator:[\s\S]*Group\.ReadWrite\.All[\s\S]*fix: Let an administrator/,
    )
    assert.equal(indexOf(calls, 'variable set'), -1)
  })

  it('does not send whoever is not signed in round in a circle', async () => {
    const { code, output } = await pipeline(
      world({}, [{ program: 'az', match: 'sub create', code: 1, stderr: 'AADSTS700082: expired' }]),
    )
    assert.equal(code, 1)
    assert.match(output, /why: The sign-in has ended.*\n {2}fix: az login\n/)
  })
})

describe('The name of a deployment', () => {
  it('contains that of the environment for none, is the same every time, another for each, and valid', () => {
    const environments = ['dev', 'DEV2', 'p', '-', 'pipeline', 'e', '1', 'a-b', 'A.b', '(x)', 'x'.repeat(40)]
    const names = environments.map(deploymentName)
    for (const [at, environment] of environments.entries()) {
      const name = names[at] ?? ''
      assert.ok(!name.toLowerCase().includes(environment.toLowerCase()), `${name} contains ${environment}`)
      assert.match(name, /^[\w.()-]{20,64}$/)
      assert.equal(name, deploymentName(environment))
    }
    assert.equal(new Set(names).size, names.length)
  })
})
