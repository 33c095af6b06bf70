// The part of azd that hooks and @azure/identity call; what it answers is in state.json beside it.
import { appendFileSync, readFileSync } from 'node:fs'

const args = process.argv.slice(2)
appendFileSync(new URL('calls.log', import.meta.url), `${args.join(' ')}\n`)
const state = JSON.parse(readFileSync(new URL('state.json', import.meta.url), 'utf8'))
const command = args.slice(0, 2).join(' ')

if (command === 'auth token' && state.token) {
  const expiresOn = new Date(Date.now() + 3_600_000).toISOString()
  console.log(JSON.stringify({ token: state.token, expiresOn }))
} else if (command === 'auth token') {
  console.error('ERROR: not logged in, run `azd auth login` to login')
  process.exitCode = 1
} else if (args[0] === 'version') {
  console.log(JSON.stringify({ azd: { version: state.version ?? '1.23.15', commit: '0'.repeat(40) } }))
} else if (command === 'env get-values' && state.values) {
  console.log(JSON.stringify(state.values))
} else {
  console.error(`ERROR: ${args.join(' ')}: no environment is selected`)
  process.exitCode = 1
}
