import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explain, REFUSALS, remedyOf, SIGN_INS, signInRemedyOf } from '../../../scripts/cli/remedies.ts'
import { run } from '../../../scripts/github/command.ts'
import { DirectoryError } from '../../../scripts/graph/directory-error.ts'
import { DIRECTORY_MESSAGES, SIGN_IN_MESSAGES } from './messages.ts'

/** By AADSTS number: what helps, and why. */
const cases: [code: number, fix: RegExp, cause: RegExp][] = [
  [700024, /^azd auth login .*gh run rerun --failed/, /some minutes/],
  [700016, /^azd auth login --tenant-id .*npm run pipeline/, /does not know the app/],
  [70021, /^npm run pipeline .*postprovision/, /issuer and subject/],
  [700211, /^npm run pipeline/, /issuer and subject/],
  [700212, /^npm run pipeline/, /issuer and subject/],
  [700213, /^npm run pipeline/, /issuer and subject/],
  [7002138, /^npm run pipeline/, /exactly this case/],
  [50076, /^azd auth login .*browser/, /further authentication/],
  [50079, /^azd auth login .*browser/, /further authentication/],
  [50158, /^azd auth login .*browser/, /further authentication/],
  [700082, /^azd auth login$/, /has ended/],
  [70043, /^azd auth login$/, /has ended/],
  [50132, /^azd auth login$/, /has ended/],
  [50133, /^azd auth login$/, /has ended/],
  [50173, /^azd auth login$/, /has ended/],
  [65001, /^npm run consent .*administrator/, /consented/],
  [90094, /^npm run consent .*administrator/, /consented/],
  [50011, /^azd provision .*ENTRA_PUBLIC_CLIENT_ID/, /redirect URI/],
  [500113, /^azd provision .*ENTRA_PUBLIC_CLIENT_ID/, /redirect URI/],
  [7000215, /^npx node scripts\/identity\/dev-credential\.ts$/, /secret/],
  [65002, /^npm run verify/, /pre-authorized/],
  [9010010, /^npm run verify .*EXTRA_SERVER_URLS/, /identifier URI/],
  [650053, /^npm run verify .*user_impersonation/, /short name/],
  [500011, /^azd hooks run postdeploy .*azd provision/, /service principal/],
  [7000222, /^npx node scripts\/identity\/dev-credential\.ts$/, /secret/],
]

describe('A refused sign-in', () => {
  for (const [code, fix, cause] of cases)
    it(`AADSTS${code} comes with what helps against it`, () => {
      const remedy = remedyOf(new Error(`azd: AADSTS${code}: ${SIGN_IN_MESSAGES[code]} Trace ID: 1`))
      assert.match(remedy.fix, fix)
      assert.match(remedy.cause, cause)
    })

  it('is told by its whole number, not by how it begins', () => {
    assert.equal(signInRemedyOf('AADSTS7000241: x'), undefined)
    assert.equal(signInRemedyOf('no number'), undefined)
    assert.match(signInRemedyOf('AADSTS1: x; AADSTS700082: y')?.cause ?? '', /has ended/)
  })

  it('is told before the status of the answer that quotes it', () => {
    const error = { code: 'InvalidAuthenticationToken', message: 'AADSTS50076: x' }
    assert.match(remedyOf(new DirectoryError('GET /me', 401, { error }, 'r')).cause, /further authentication/)
    assert.match(
      explain(new Error('AADSTS700082: x')),
      /\n {2}why: The sign-in has ended.*\n {2}fix: azd auth login$/,
    )
  })

  it('of another program comes with the sign-in of that program, not with what the step usually lacks', async () => {
    const refused = (code: string) =>
      run(process.execPath, ['-e', `console.error('AADSTS${code}: x'); process.exit(1)`], {
        fix: 'npm run pipeline    (it gives the identity Reader)',
      })
    await assert.rejects(refused('700024'), { fix: /^azd auth login .*repeat what failed/ })
    await assert.rejects(refused('1'), { fix: /^npm run pipeline .*Reader/ })
  })
})

describe('The remedies', () => {
  it('are each against a message that somebody says, and no message is without one', () => {
    const numbers = SIGN_INS.flatMap(({ codes }) => codes)
    assert.deepEqual(numbers.toSorted(), Object.keys(SIGN_IN_MESSAGES).map(Number).toSorted())
    const met = DIRECTORY_MESSAGES.map(([status, code, message]) =>
      remedyOf(new DirectoryError('GET /me', status, { error: { code, message } }, 'r')),
    )
    // A rule that an earlier one covers would never be told; what no rule knows is told the last resort.
    for (const remedy of REFUSALS) assert.ok(met.includes(remedy), String(remedy.sign))
    for (const remedy of met)
      assert.ok(
        REFUSALS.some((one) => one === remedy),
        remedy.cause,
      )
  })

  it('fit the error that quotes no number and has no rule', () => {
    const body = { error: { code: 'Request_BadRequest', message: 'A value is wrong.' } }
    assert.match(remedyOf(new DirectoryError('GET /me', 400, body, 'r')).cause, /No known cause/)
    assert.match(remedyOf(new Error('x')).cause, /No known cause/)
  })

  it('say first what to do, and then more about it in parentheses', () => {
    for (const { cause, fix } of [...SIGN_INS, ...REFUSALS]) {
      assert.match(cause, /^[A-Z].+\.$/)
      assert.match(fix, /^[^ ].*?[^ ](?: {4}\([^()]+\)|\.)?$/)
      assert.doesNotMatch(fix + cause, /`/)
    }
  })
})
