// The emulator of az, azd, gh and npm. What they answer is in state.json beside it; every call is written down.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'

const [program, ...args] = process.argv.slice(2)
const file = new URL('state.json', import.meta.url)
const state = JSON.parse(readFileSync(file, 'utf8'))
const body = args.includes('--input') ? JSON.parse(readFileSync(0, 'utf8')) : undefined
const subject = Object.entries(process.env)
  .filter(([name]) => /^GITHUB_REPOSITORY_/.test(name))
  .toSorted()
  .map(([, value]) => value)
const mayWriteGitHub = 'GH_TOKEN' in process.env
const maySignIn = 'ACTIONS_ID_TOKEN_REQUEST_TOKEN' in process.env
const call = { program, args, body, subject, mayWriteGitHub, maySignIn }
appendFileSync(new URL('calls.jsonl', import.meta.url), `${JSON.stringify(call)}\n`)

const answer = ({ code = 0, stdout = '', stderr = '' }) => {
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  process.exitCode = code
}

const scripted = () => {
  const line = args.join(' ')
  const found = state.answers.find(
    ({ program: of, match, times = 1 }) => of === program && line.includes(match) && times > 0,
  )
  if (found?.times) {
    found.times--
    writeFileSync(file, JSON.stringify(state))
  }
  return found
}

// The REST API: what is read by path, and what a write changes.
const api = () => {
  const method = args.includes('--method') ? args[args.indexOf('--method') + 1] : 'GET'
  const path = args.find((arg) => arg.startsWith('repos/'))?.split('?')[0]
  if (method !== 'GET') {
    Object.assign(state.github, state.effects?.[`${method} ${path}`])
    writeFileSync(file, JSON.stringify(state))
    return { stdout: '{}' }
  }
  const value = state.github[path]
  if (value === undefined) return { code: 1, stderr: `gh: Not Found (HTTP 404) ${path}` }
  return { stdout: JSON.stringify(args.includes('--slurp') ? [value] : value) }
}

answer(scripted() ?? (program === 'gh' && args[0] === 'api' ? api() : {}))
