/** Which right a reading of Microsoft Graph needs, to name the one that is missing. */
import { Problem } from '../cli/problem.ts'

const RIGHTS: readonly [path: RegExp, right: string][] = [
  [/^\/oauth2PermissionGrants/, 'DelegatedPermissionGrant.Read.All'],
  [/^\/groups.*\/(members|owners)|^\/groups|\.group/, 'Group.Read.All'],
  [/^\/users/, 'User.Read.All'],
  [/^\/(applications|servicePrincipals|directory)/, 'Application.Read.All'],
]

/** A reading that Graph refused with 403. */
export class MissingRight extends Error {
  override name = 'MissingRight'
  readonly right: string

  constructor(path: string) {
    const right = RIGHTS.find(([pattern]) => pattern.test(path))?.[1] ?? 'Directory.Read.All'
    super(`Reading ${path.split('?')[0]} needs ${right}.`)
    this.right = right
  }
}

export function missingRights(missing: readonly MissingRight[]): Problem {
  const rights = [...new Set(missing.map(({ right }) => right))].toSorted()
  return new Problem({
    what: `The what-if may not read the directory: ${rights.join(' and ')} ${rights.length > 1 ? 'are' : 'is'} missing.`,
    why: `${missing.map(({ message }) => message).join(' ')} Nothing was changed, and nothing is known.`,
    fix: `Grant ${rights.join(', ')} (read-only; an application permission in a pipeline) to whoever is signed in to azd, or: azd auth login`,
  })
}
