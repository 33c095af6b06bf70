/** The package as it is handed out, made once, and a stranger's folder that uses it. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { findBicep } from '../../../scripts/bicep/compiler.ts'
import { packWhatIf } from '../../../scripts/pack-whatif.ts'
import { type Ended, ended } from '../hooks.ts'

const INFRA: Record<string, string> = {
  'bicepconfig.json': JSON.stringify({
    extensions: { microsoftGraphV1: 'br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0' },
  }),
  'main.bicep': `extension microsoftGraphV1

param title string = 'Invoices'

resource api 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: 'invoices'
  displayName: title
}

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: api.appId
}
`,
  'main.bicepparam': "using 'main.bicep'\n",
}

export async function makeStranger() {
  const folder = await mkdtemp(join(tmpdir(), 'stranger-'))
  const tarball = await packWhatIf(folder)
  const bin = join(folder, 'bin')
  const project = join(folder, 'project')
  await mkdir(bin)
  await mkdir(join(project, 'infra'), { recursive: true })
  await writeFile(join(project, 'package.json'), '{"type":"commonjs"}')
  const write = (files: Record<string, string>) =>
    Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(project, 'infra', name), text)))
  await write(INFRA)
  const { HOME, USERPROFILE, SystemRoot } = process.env
  const basic = {
    PATH: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    ...(HOME && { HOME }),
    ...(USERPROFILE && { USERPROFILE }),
    ...(SystemRoot && { SystemRoot }),
    ...{ BICEP: findBicep()?.path ?? '', DIRECTORY_PATIENCE_SECONDS: '5', npm_config_offline: 'true' },
  }
  const run = (program: string, args: string[], more: Record<string, string> = {}): Promise<Ended> =>
    ended(
      spawn(program, args, {
        cwd: project,
        env: { ...basic, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  return {
    ...{ folder, bin, project, tarball, write, run },
    /** Without sign-in. */
    variables: basic,
    packed: join(folder, 'identity-what-if'),
    restore: () => write(INFRA),
    whatif: (args: string[], more?: Record<string, string>, node = process.execPath) =>
      run(node, [join(folder, 'identity-what-if/dist/identity-what-if.mjs'), ...args], more),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}
export type Stranger = Awaited<ReturnType<typeof makeStranger>>
