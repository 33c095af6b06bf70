/**
 * How this environment's objects are called in Entra: the same words as in infra/identity.bicep, so that they are
 * found before a deployment and after `azd down`, when azd has forgotten its outputs. A test holds the names against
 * every committed snapshot; `namesOf` holds them against the deployment.
 */
import type { Environment } from '../cli/environment.ts'
import { Problem } from '../cli/problem.ts'

// The template function `uniqueString()`, so that the names are known before a deployment, after it, and without a compiler.
// Its hash is MurmurHash3's mixing over two 32-bit lanes; tests hold it against the compiler.
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

const rotate = (value: number, bits: number): number => ((value << bits) | (value >>> (32 - bits))) >>> 0
const product = (a: number, b: number): number => Math.imul(a, b) >>> 0
const sum = (a: number, b: number): number => (a + b) >>> 0

const first = (word: number): number => product(rotate(product(word, 0x239b961b), 15), 0xab0e9789)
const second = (word: number): number => product(rotate(product(word, 0xab0e9789), 17), 0x239b961b)

function finish(lane: number): number {
  const once = product(lane ^ (lane >>> 16), 0x85ebca6b)
  const twice = product(once ^ (once >>> 13), 0xc2b2ae35)
  return (twice ^ (twice >>> 16)) >>> 0
}

/** 64 bits as [high, low]. */
function hash(bytes: Buffer): [high: number, low: number] {
  let low = 0
  let high = 0
  // A last part of less than eight bytes counts as if zeros followed, but is mixed in without the lane steps.
  const whole = bytes.length - (bytes.length % 8)
  for (let at = 0; at < whole; at += 8) {
    low = sum(rotate((low ^ first(bytes.readUInt32LE(at))) >>> 0, 19), high)
    low = sum(product(low, 5), 0x561ccd1b)
    high = sum(rotate((high ^ second(bytes.readUInt32LE(at + 4))) >>> 0, 13), low)
    high = sum(product(high, 5), 0x0bcaa747)
  }
  const rest = Buffer.concat([bytes.subarray(whole), Buffer.alloc(8)])
  high = (high ^ second(rest.readUInt32LE(4))) >>> 0
  low = (low ^ first(rest.readUInt32LE(0))) >>> 0

  low = sum((low ^ bytes.length) >>> 0, (high ^ bytes.length) >>> 0)
  high = sum((high ^ bytes.length) >>> 0, low)
  low = finish(low)
  high = finish(high)
  low = sum(low, high)
  high = sum(high, low)
  return [high, low]
}

/** 13 characters of a-z and 2-7, as `toLower(uniqueString(...parts))` of a template. */
function uniqueString(...parts: string[]): string {
  const [high, low] = hash(Buffer.from(parts.join('-'), 'utf8'))
  let rest = (BigInt(high) << 32n) | BigInt(low)
  let text = ''
  for (let at = 0; at < 13; at += 1) {
    text += ALPHABET[Number(rest >> 59n)]
    rest = BigInt.asUintN(64, rest << 5n)
  }
  return text
}

export interface Names {
  /** Unique per subscription and environment. */
  token: string
  /** On every app and service principal. */
  tags: readonly [environment: string, token: string]
  api: string
  client: string
  dev: string
  admins: string
  users: string
}

type Known = Pick<Environment, 'AZURE_ENV_NAME' | 'AZURE_SUBSCRIPTION_ID' | 'ENTRA_API_APP_UNIQUE_NAME'>

export function namesOf(environment: Known): Names {
  const { AZURE_ENV_NAME, AZURE_SUBSCRIPTION_ID, ENTRA_API_APP_UNIQUE_NAME } = environment
  const token = uniqueString(`/subscriptions/${AZURE_SUBSCRIPTION_ID}`, AZURE_ENV_NAME)
  const name = (kind: string) => `mcp-expenses-${kind}-${AZURE_ENV_NAME}-${token}`
  const names: Names = {
    token,
    tags: [`azd-env-name:${AZURE_ENV_NAME}`, `azd-env-token:${token}`],
    api: name('api'),
    client: name('client'),
    dev: name('dev'),
    admins: name('admins'),
    users: name('users'),
  }
  if (ENTRA_API_APP_UNIQUE_NAME && ENTRA_API_APP_UNIQUE_NAME !== names.api) {
    throw new Problem({
      what: `The deployed API app is called ${ENTRA_API_APP_UNIQUE_NAME}, the scripts look for ${names.api}.`,
      why: 'infra/identity.bicep and scripts/identity/names.ts must say the same, or the scripts work on the wrong objects.',
      fix: 'Make scripts/identity/names.ts follow infra/identity.bicep, then: node --test tests/scripts/identity/names.test.ts',
    })
  }
  return names
}
