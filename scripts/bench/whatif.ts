import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { findBicep } from '../bicep/compiler.ts'
import { listenOnLoopback } from '../emulators/loopback.ts'
import { median } from './processes.ts'
import type { Row } from './table.ts'

const RUNS = 5
const GOAL = 2000
const PROGRAM = fileURLToPath(new URL('../package/cli.ts', import.meta.url))
const SUBSCRIPTION = '11111111-1111-4111-8111-111111111111'
const TENANT = '22222222-2222-4222-8222-222222222222'

/** 200 Graph objects: 100 groups, and 50 apps with their service principals. */
const TEMPLATE = `extension 'br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0'
resource teams 'Microsoft.Graph/groups@v1.0' = [for at in range(0, 100): {
  uniqueName: 'team-\${at}'
  displayName: 'Team \${at}'
  mailEnabled: false
  mailNickname: 'team-\${at}'
  securityEnabled: true
}]
resource apps 'Microsoft.Graph/applications@v1.0' = [for at in range(0, 50): {
  uniqueName: 'app-\${at}'
  displayName: 'App \${at}'
}]
resource principals 'Microsoft.Graph/servicePrincipals@v1.0' = [for at in range(0, 50): {
  appId: apps[at].appId
}]
`

/** Milliseconds; `codes` are those with which it may end. */
const timed = (program: string, args: string[], env: NodeJS.ProcessEnv, codes: readonly number[]) =>
  new Promise<number>((done, fail) => {
    const began = performance.now()
    execFile(program, args, { env: { ...process.env, ...env }, maxBuffer: 64 << 20 }, (error, _, said) => {
      const code = error ? error.code : 0
      if (codes.some((one) => one === code)) done(performance.now() - began)
      else fail(new Error(`${program} ended with ${code}: ${said}`))
    })
  })

const Batch = z.object({ requests: z.array(z.object({ id: z.string() })) })
const NOT_FOUND = {
  code: 'Request_ResourceNotFound',
  message: 'Resource does not exist or one of its queried reference-property objects are not present.',
}

/** Microsoft Graph of a tenant in which nothing is: to whatever is asked in a `$batch`, it answers that it is not there. */
const emptyGraph: RequestListener = async (request, response) => {
  const { requests } = Batch.parse(JSON.parse((await request.toArray()).join('')))
  const responses = requests.map(({ id }) => ({ id, status: 404, body: { error: NOT_FOUND } }))
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ responses }))
}

/** The program of the package against an empty tenant, in turn with the compiler's own prediction. */
export async function whatIfRows(folder: string): Promise<Row[]> {
  const what = 'what-if of 200 Graph objects'
  const bicep = findBicep()?.path
  if (!bicep) return [{ what, measured: 'no Bicep compiler here' }]
  await mkdir(folder)
  await writeFile(join(folder, 'main.bicep'), TEMPLATE)
  const parameters = join(folder, 'main.bicepparam')
  await writeFile(parameters, "using 'main.bicep'\n")
  const graph = await listenOnLoopback(emptyGraph, 0, 'PORT')
  const env = {
    ...{ GRAPH_ENDPOINT: `http://localhost:${graph.port}`, IDENTITY_WHAT_IF_TOKEN: 'a-token' },
    ...{ AZURE_TENANT_ID: TENANT, BICEP: bicep },
  }
  const ids = ['--subscription-id', SUBSCRIPTION, '--tenant-id', TENANT, '--resource-group', 'rg']
  const wholes: number[] = []
  const compilers: number[] = []
  for (let run = 0; run < RUNS; run++) {
    compilers.push(await timed(bicep, ['snapshot', parameters, '--mode', 'overwrite', ...ids], {}, [0]))
    wholes.push(await timed(process.execPath, [PROGRAM, '--parameters', parameters], env, [2]))
  }
  await graph.close()
  const [whole, compiler] = [median(wholes), median(compilers)]
  const beside = whole - compiler
  const ratio = median(wholes.map((one, at) => one / (compilers[at] ?? one)))
  return [
    {
      what,
      measured: `${Math.round(whole)} ms, ${ratio.toFixed(2)} times the compiler alone (${Math.round(compiler)} ms)`,
      goal: `< ${GOAL} ms beside it`,
      met: beside < GOAL,
    },
  ]
}
