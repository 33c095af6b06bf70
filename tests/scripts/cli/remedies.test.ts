import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explain, REFUSALS, remedyOf, SIGN_INS, signInRemedyOf } from '../../../scripts/cli/remedies.ts'
import { run } from '../../../scripts/github/command.ts'
import { DirectoryError } from '../../../scripts/graph/directory-error.ts'
import { DIRECTORY_MESSAGES, SIGN_IN_MESSAGES } from './messages.ts'

/** What Entra says, what helps, and what would only waste time. */
const cases: [code: string, text: string, fix: RegExp, cause: RegExp][] = [
  [
    '700024',
    'Client assertion is not within its valid time range.',
    /^azd auth login .*gh run rerun --failed/,
    /some minutes/,
  ],
  [
    '700016',
    'Application was not found in the directory.',
    /^azd auth login --tenant-id .*npm run pipeline/,
    /does not know the app/,
  ],
  [
    '70021',
    'No matching federated identity record found.',
    /^npm run pipeline .*postprovision/,
    /issuer and subject/,
  ],
  ['700211', 'No matching record for issuer.', /^npm run pipeline/, /issuer and subject/],
  ['700212', 'No matching record for audience.', /^npm run pipeline/, /issuer and subject/],
  [
    '700213',
    'No matching federated identity record found for subject.',
    /^npm run pipeline/,
    /issuer and subject/,
  ],
  ['7002138', 'Matched case-insensitively.', /^npm run pipeline/, /exactly this case/],
  [
    '50076',
    'You must use multi-factor authentication.',
    /^azd auth login .*browser/,
    /further authentication/,
  ],
  [
    '50079',
    'You must enroll in multi-factor authentication.',
    /^azd auth login .*browser/,
    /further authentication/,
  ],
  [
    '50158',
    'External security challenge not satisfied.',
    /^azd auth login .*browser/,
    /further authentication/,
  ],
  ['700082', 'The refresh token has expired due to inactivity.', /^azd auth login$/, /has ended/],
  ['70043', 'The refresh token has expired.', /^azd auth login$/, /has ended/],
  ['50132', 'Session is not valid.', /^azd auth login$/, /has ended/],
  ['50133', 'Session is not valid due to password change.', /^azd auth login$/, /has ended/],
  ['50173', 'The provided grant has expired.', /^azd auth login$/, /has ended/],
  ['65001', 'The user or administrator has not consented.', /^npm run consent .*administrator/, /consented/],
  ['90094', 'The grant requires admin permission.', /^npm run consent .*administrator/, /consented/],
  ['50011', 'The redirect URI does not match.', /^azd provision .*ENTRA_PUBLIC_CLIENT_ID/, /redirect URI/],
  ['500113', 'No reply address is registered.', /^azd provision .*ENTRA_PUBLIC_CLIENT_ID/, /redirect URI/],
  ['7000215', 'Invalid client secret.', /^npx node scripts\/identity\/dev-credential\.ts$/, /secret/],
  [
    '65002',
    'Consent between first party application and first party resource …',
    /^npm run verify/,
    /pre-authorized/,
  ],
  [
    '9010010',
    'The resource parameter does not match the scopes.',
    /^npm run verify .*EXTRA_SERVER_URLS/,
    /identifier URI/,
  ],
  [
    '650053',
    'The application asked for a scope that does not exist.',
    /^npm run verify .*user_impersonation/,
    /short name/,
  ],
  [
    '500011',
    'The resource principal was not found.',
    /^azd hooks run postdeploy .*azd provision/,
    /service principal/,
  ],
  ['7000222', 'The secret is expired.', /^npx node scripts\/identity\/dev-credential\.ts$/, /secret/],
]

describe('A refused sign-in', () => {
  for (const [code, text, fix, cause] of cases)
    it(`AADSTS${code} comes with what helps against it`, () => {
      const remedy = remedyOf(new Error(`azd: AADSTS${code}: ${text} Trace ID: 1`))
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
