/** `npm run screenshots`: makes every picture of docs/pictures/ anew, and notes what they show. */
import { writeFile } from 'node:fs/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { z } from 'zod'
import { executablePath, withoutBrowser } from '../chromium.ts'
import { drawMermaid } from '../mermaid.ts'
import { commentPage } from './comment.ts'
import { inspect } from './inspector.ts'
import { comment, folder, hashes, LARGEST, NAMES, type Name, record } from './sources.ts'
import { SCHEMES, type Scheme, terminal } from './terminal.ts'
import { workbookPage } from './workbook.ts'
import { declaredMap, firstChecks, startWorld, twoUsers, type World } from './world.ts'

type Shot = Readonly<{ page: Page; world: World; scheme: Scheme; keep: (what: string) => Promise<void> }>

type Chosen = Omit<Parameters<typeof inspect>[2], 'scheme'>

function inspectorOf(chosen: Chosen) {
  return ({ page, world, scheme, keep }: Shot) =>
    inspect(page, world, { ...chosen, scheme }, () => keep('body'))
}

/** What is on the page when `keep` is called with a selector becomes the picture. */
const SHOTS: Partial<Record<Name, (shot: Shot) => Promise<void>>> = {
  'sign-in': async ({ page, world, keep }) => {
    await page.setViewportSize({ width: 720, height: 460 })
    await page.goto(await world.authorizePage())
    await keep('body')
  },
  'what-happens': async ({ page, world, keep }) => {
    await page.goto(world.tenant)
    await keep('main')
  },
  'inspector-alice': inspectorOf({ person: 'Alice', tool: 'get_expense_stats', answer: '"users"' }),
  'inspector-bob': inspectorOf({ person: 'Bob', tool: 'get_user_expenses', answer: '"expenses"' }),
  'pull-request': async ({ page, keep }) => {
    await page.setContent(commentPage(await comment()))
    await keep('body')
  },
  'identity-map': async ({ page, scheme, keep }) => {
    await drawMermaid(page, await declaredMap(), scheme === 'dark' ? 'dark' : 'default')
    await keep('svg')
  },
  workbook: async ({ page, keep }) => {
    await page.setContent(await workbookPage())
    await keep('body')
  },
}

/** A third of a PNG, without loss unless that is too large; Chromium writes it from a canvas. */
async function webp(browser: Browser, png: Buffer): Promise<Buffer> {
  const page = await browser.newPage()
  const source = `data:image/png;base64,${png.toString('base64')}`
  const made = await page.evaluate(`(async () => {
    const image = new Image()
    image.src = ${JSON.stringify(source)}
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
    canvas.getContext('2d').drawImage(image, 0, 0)
    return [1, 0.9, 0.8, 0.7].map((quality) => canvas.toDataURL('image/webp', quality))
  })()`)
  await page.close()
  const [best, ...others] = z
    .array(z.string())
    .parse(made)
    .map((url) => Buffer.from(url.replace('data:image/webp;base64,', ''), 'base64'))
  const picture = [best, ...others].find((one) => one && one.length < LARGEST)
  if (!picture) throw new Error('A picture is too large.')
  return picture
}

async function shoot(browser: Browser, world: World, name: Name, scheme: Scheme): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1320, height: 720 }, colorScheme: scheme })
  const keep = async (what: string) => {
    const png = await page.locator(what).first().screenshot({ animations: 'disabled' })
    await writeFile(new URL(`${name}-${scheme}.webp`, folder), await webp(browser, png))
  }
  await SHOTS[name]?.({ page, world, scheme, keep })
  await page.close()
}

async function main(): Promise<void> {
  if (withoutBrowser) throw new Error(withoutBrowser)
  const [users, checks] = [await twoUsers(), await firstChecks()]
  const world = await startWorld({ PORT: '8080', TENANT_PORT: '8081', COSMOS_PORT: '8082' })
  const browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
  try {
    // One picture after the other: the first ones show what has happened before the others make more happen.
    for (const name of Object.keys(SHOTS) as Name[])
      for (const scheme of SCHEMES) await shoot(browser, world, name, scheme)
    for (const scheme of SCHEMES) {
      await writeFile(new URL(`two-users-${scheme}.svg`, folder), terminal(users, 118, scheme))
      await writeFile(new URL(`first-checks-${scheme}.svg`, folder), terminal(checks, 118, scheme))
    }
    await writeFile(record, `${JSON.stringify(await hashes(world, NAMES), undefined, 2)}\n`)
  } finally {
    await browser.close()
    await world.stop()
  }
}

await main()
