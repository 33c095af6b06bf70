/** What each picture shows, as a text: when it changes, the picture is old. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { rpc } from '../e2e/rpc.ts'
import { describeWorkbook } from './workbook.ts'
import { declaredMap, firstChecks, type Person, twoUsers, type World } from './world.ts'

export const folder = new URL('../../docs/pictures/', import.meta.url)
/** Bytes: a page with several of them still opens at once. */
export const LARGEST = 150_000
export const record = new URL('sources.json', folder)

/** Somebody has asked for `Mail.Read`: a golden file of tests/scripts/whatif/stories.test.ts. */
export const comment = () =>
  readFile(new URL('../scripts/whatif/golden/consent-widened.md', import.meta.url), 'utf8')

/** Without what differs at each start: ports, times, nonces and random claims. */
const leaveOutVarying = (page: string) =>
  page
    .replaceAll(/localhost:\d+/g, 'localhost')
    .replaceAll(/nonce="[^"]*"|name="ticket" value="[^"]*"|decision=[\w-]+/g, '')
    .replaceAll(/(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\dZ?|\b1\d{9}\b/g, 'time')
    .replaceAll(/<code>(rh|uti|aio)<\/code><\/th>\s*<td><code>[^<]*/g, '$1')

async function signIn(world: World): Promise<string> {
  return leaveOutVarying(await (await fetch(await world.authorizePage())).text())
}

/** What Inspector shows of a person's tools. */
async function tools({ mcp, tokens }: World, person: Person): Promise<string> {
  const { answer } = await rpc(mcp, 'tools/list', {}, { token: tokens[person] })
  return JSON.stringify(answer.result)
}

export const SOURCES = {
  // The statistics were counted just now, on a slow machine a second ago.
  'two-users': async () => JSON.stringify(await twoUsers()).replaceAll(/age_seconds: \d+/g, ''),
  'first-checks': async () => JSON.stringify(await firstChecks()),
  'sign-in': signIn,
  'what-happens': async (world) => leaveOutVarying(world.page),
  'inspector-alice': (world) => tools(world, 'Alice'),
  'inspector-bob': (world) => tools(world, 'Bob'),
  'pull-request': comment,
  'identity-map': declaredMap,
  workbook: describeWorkbook,
} satisfies Record<string, (world: World) => Promise<string>>

export type Name = keyof typeof SOURCES

/** What cannot be known without a Bicep compiler. */
export const COMPILED: readonly Name[] = ['first-checks', 'identity-map']

export const NAMES = Object.keys(SOURCES) as Name[]

/** Of each source; one after the other, for some start processes. */
export async function hashes(world: World, names: readonly Name[]): Promise<Record<string, string>> {
  const all: [string, string][] = []
  for (const name of names)
    all.push([
      name,
      createHash('sha256')
        .update(await SOURCES[name](world))
        .digest('hex'),
    ])
  return Object.fromEntries(all)
}
