/** Before `npm run dev`: Node says that there is no `.env`, but not who writes it. */
import { existsSync } from 'node:fs'
import { Problem } from './cli/problem.ts'

if (!existsSync('.env')) {
  const { message } = new Problem({
    what: 'There is no .env.',
    why: 'It names the app and the data that the server works with.',
    fix: 'azd up    (without Azure: npm start)',
  })
  console.error(`✗ ${message}`)
  process.exitCode = 1
}
