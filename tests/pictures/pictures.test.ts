import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { withoutCompiler } from '../scripts/graph/directory-harness.ts'
import { COMPILED, folder, hashes, LARGEST, NAMES, record } from './sources.ts'
import { SCHEMES, terminal } from './terminal.ts'
import { startWorld, type World } from './world.ts'

const root = new URL('../../', import.meta.url)
const noted: Record<string, string> = JSON.parse(readFileSync(record, 'utf8'))
const files = readdirSync(folder).filter((name) => name !== 'sources.json')
const pages = ['README.md', ...readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
)

describe('The pictures', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.stop())

  for (const name of NAMES)
    it(`are as old as what they show, or: npm run screenshots (${name})`, {
      skip: COMPILED.includes(name) && withoutCompiler,
    }, async () => {
      assert.equal((await hashes(world, [name]))[name], noted[name])
    })

  it('are there for light and dark, small, and no others', () => {
    const wanted = NAMES.flatMap((name) => SCHEMES.map((scheme) => `${name}-${scheme}`))
    assert.deepEqual(files.map((file) => file.replace(/\.\w+$/, '')).toSorted(), wanted.toSorted())
    assert.deepEqual(Object.keys(noted).toSorted(), [...NAMES].toSorted())
    for (const file of files) assert.ok(statSync(new URL(file, folder)).size < LARGEST, file)
  })

  it('are each shown on a page, which has words for those who do not see them', () => {
    const shown = new Set<string>()
    for (const page of pages)
      for (const [picture] of readFileSync(new URL(page, root), 'utf8').matchAll(
        /<picture>[\s\S]*?<\/picture>/g,
      )) {
        assert.match(picture, /prefers-color-scheme: dark/, page)
        assert.match(picture, /alt="[^"]{20,}"/, page)
        for (const [, file = ''] of picture.matchAll(/(?:src|srcset)="([^"]+)"/g)) {
          const { pathname } = new URL(file, new URL(page, root))
          shown.add(pathname.replace(folder.pathname, ''))
        }
      }
    assert.deepEqual([...shown].toSorted(), files.toSorted())
  })
})

describe('A terminal as a picture', () => {
  const typed = [{ heading: '# who', command: 'cat <x>', answer: ['✓ a & b', '✗ "no"'] }]

  it('escapes what it shows and shows it line by line', () => {
    const picture = terminal(typed, 20, 'light')
    for (const part of ['$ cat &lt;x&gt;', '✓ a &amp; b', '✗ &quot;no&quot;', 'class="bad"', 'id="l3"'])
      assert.ok(picture.includes(part), part)
    assert.equal(picture.match(/@keyframes/g)?.length, 4)
  })

  it('moves for nobody who wants nothing to move', () => {
    const [still = ''] = terminal(typed, 20, 'dark').split('@media (prefers-reduced-motion:no-preference)')
    assert.doesNotMatch(still, /animation|opacity/)
  })
})
