/** The web interface of MCP Inspector, connected as one person. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { freePort } from '../../scripts/emulators/loopback.ts'
import type { Person, World } from './world.ts'

const program = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    import.meta.url,
  ),
)

/** Runs Inspector with a home of its own, so that it knows no other server and keeps nothing. */
async function startInspector({ mcp, tokens }: World, person: Person) {
  const home = mkdtempSync(join(tmpdir(), 'inspector-'))
  const header = `Authorization: Bearer ${tokens[person]}`
  const child = spawn(
    process.execPath,
    [program, '--web', '--transport', 'http', '--server-url', mcp, '--header', header],
    {
      cwd: home,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        MCP_INSPECTOR_SECRET_STORE: 'memory',
        MCP_AUTO_OPEN_ENABLED: 'false',
        CLIENT_PORT: String(await freePort()),
        MCP_SANDBOX_PORT: String(await freePort()),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  let address = ''
  for await (const line of createInterface(child.stdout)) {
    address = /http:\/\/\S+API_TOKEN=\S+/.exec(line)?.[0] ?? ''
    if (address) break
  }
  return {
    address,
    async stop() {
      if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit')
      rmSync(home, { recursive: true })
    },
  }
}

/** Opens the tools of a person and runs one of them; `shoot` is called when `answer` is read in what comes back. */
export async function inspect(
  page: Page,
  world: World,
  { person, tool, answer, scheme }: { person: Person; tool: string; answer: string; scheme: string },
  shoot: () => Promise<void>,
): Promise<void> {
  const inspector = await startInspector(world, person)
  try {
    await page.addInitScript(`localStorage.setItem('mantine-color-scheme-value', '${scheme}')`)
    await page.goto(inspector.address)
    await page.locator('input[role=switch]').first().click({ force: true })
    await page.getByText('Tools', { exact: true }).first().click()
    await page.getByText(tool, { exact: true }).first().click()
    await page
      .getByRole('button', { name: /^(Execute|Run|Call)/ })
      .first()
      .click()
    await page.getByText(answer).first().waitFor()
    await shoot()
  } finally {
    await inspector.stop()
  }
}
