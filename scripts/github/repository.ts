/** The repository that the pipeline runs in, and what its tokens say about it. */
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import { run } from './command.ts'
import { read } from './github.ts'

const Repository = z.object({
  id: z.number().int(),
  name: z.string(),
  full_name: z.string(),
  default_branch: z.string(),
  owner: z.object({ id: z.number().int(), login: z.string() }),
  permissions: z.object({ admin: z.boolean() }).optional(),
})
const Subjects = z.object({ use_default: z.boolean(), use_immutable_subject: z.boolean().optional() })

export interface GitHubRepository {
  /** owner/name in their exact case: Entra ID compares subjects character by character. */
  fullName: string
  owner: string
  name: string
  /** Where GitHub puts them into the subject: a released name then means nothing to somebody else. */
  ids: { owner: string; repository: string } | undefined
}

const refused = (what: string, fix: string) =>
  new Problem({ what, why: 'The identities would trust the wrong tokens, or none.', fix })

const View = z.object({ nameWithOwner: z.string() })
/** Of the folder's own remote. */
const ownName = async () => {
  const fix = 'npm run pipeline -- owner/repository    (sign in first: gh auth login)'
  return View.parse(JSON.parse(await run('gh', ['repo', 'view', '--json', 'nameWithOwner'], { fix })))
    .nameWithOwner
}

export async function repositoryOf(named: string | undefined): Promise<GitHubRepository> {
  const asked = named ?? (await ownName())
  if (!/^[\w.-]+\/[\w.-]+$/.test(asked))
    throw refused(`${asked} is not of the form owner/repository.`, 'npm run pipeline -- owner/repository')
  const found = await read(`repos/${asked}`, Repository)
  const { owner, name, full_name: fullName } = found
  if (found.default_branch !== 'main')
    throw refused(
      `The default branch of ${fullName} is ${found.default_branch}; the workflows deploy main.`,
      `gh api --method POST repos/${fullName}/branches/${found.default_branch}/rename -f new_name=main`,
    )
  if (!found.permissions?.admin)
    throw refused(
      `You are not an administrator of ${fullName}.`,
      'Let one run: npm run pipeline    (environments and variables are theirs to set)',
    )
  const subjects = await read(`repos/${fullName}/actions/oidc/customization/sub`, Subjects)
  if (!subjects.use_default)
    throw refused(
      `${fullName} uses subjects of its own in the tokens of GitHub Actions.`,
      `gh api --method PUT repos/${fullName}/actions/oidc/customization/sub -F use_default=true`,
    )
  const ids = { owner: String(owner.id), repository: String(found.id) }
  return { fullName, owner: owner.login, name, ids: subjects.use_immutable_subject ? ids : undefined }
}
