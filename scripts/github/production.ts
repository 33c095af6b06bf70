/**
 * The GitHub environment "production": whoever runs in it has the write rights. Any workflow of any branch may name
 * an environment, so what keeps pull requests out is its rule that only the branch main may use it.
 */
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import { find, read, write } from './github.ts'

const Rule = z.object({
  type: z.string(),
  wait_timer: z.number().optional(),
  prevent_self_review: z.boolean().optional(),
  reviewers: z.array(z.object({ type: z.string(), reviewer: z.object({ id: z.number() }) })).optional(),
})
const Environment = z.object({
  deployment_branch_policy: z
    .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
    .nullable(),
  protection_rules: z.array(Rule).default([]),
})
type Environment = z.infer<typeof Environment>
const Policies = z.object({
  branch_policies: z.array(
    z.object({ id: z.number(), name: z.string(), type: z.string().default('branch') }),
  ),
})

/** A PUT replaces the whole, so what people have set there is said again. */
function bodyOf(present: Environment | undefined) {
  const rules = present?.protection_rules ?? []
  const waiting = rules.find(({ type }) => type === 'wait_timer')
  const reviewed = rules.find(({ type }) => type === 'required_reviewers')
  return {
    deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    ...(waiting && { wait_timer: waiting.wait_timer ?? 0 }),
    ...(reviewed && {
      prevent_self_review: reviewed.prevent_self_review ?? false,
      reviewers: (reviewed.reviewers ?? []).map(({ type, reviewer }) => ({ type, id: reviewer.id })),
    }),
  }
}

const isRestricted = (environment: Environment | undefined) =>
  environment?.deployment_branch_policy?.custom_branch_policies === true

export async function restrictProduction(fullName: string): Promise<{ reviewed: boolean }> {
  const path = `repos/${fullName}/environments/production`
  const present = await find(path, Environment)
  if (!isRestricted(present)) await write('PUT', path, bodyOf(present))
  const policiesPath = `${path}/deployment-branch-policies`
  const isMain = ({ name, type }: { name: string; type: string }) => name === 'main' && type === 'branch'
  const before = await read(policiesPath, Policies)
  if (!before.branch_policies.some(isMain))
    await write('POST', policiesPath, { name: 'main', type: 'branch' })

  // Read back: the write rights hang on this rule alone.
  const [now, after] = [await read(path, Environment), await read(policiesPath, Policies)]
  const others = after.branch_policies.filter((policy) => !isMain(policy))
  if (!isRestricted(now) || others.length > 0 || after.branch_policies.length !== 1)
    throw new Problem({
      what: `The environment production of ${fullName} is open to more than the branch main: ${others.map(({ type, name }) => `${type} ${name}`).join(', ') || 'no rule is in force'}.`,
      why: 'Whoever can push there, a pull request included, would get the write rights.',
      fix:
        others.map(({ id }) => `gh api --method DELETE ${policiesPath}/${id}`).join('\n       ') ||
        'Use a GitHub plan that has rules for environments of this repository, or make it public',
    })
  return { reviewed: now.protection_rules.some(({ type }) => type === 'required_reviewers') }
}
