/** Before `azd provision`: finds what would make the deployment fail half-way, and disables what tool sets that are off leave. */
import { runChecks } from '../cli/checklist.ts'
import { NOT_ASKED_YET } from '../cli/environment.ts'
import { explain } from '../cli/remedies.ts'
import { type Context, runScript } from '../cli/script.ts'
import { namesOf } from '../identity/names.ts'
import { preflight } from '../identity/preflight.ts'
import { Twins } from '../identity/preflight-objects.ts'
import { mayNotPurge, purge, restore } from '../identity/recycle-bin.ts'
import { disableSwitchedOff } from '../identity/switched-off.ts'

const isTerminal = ({ environment: { CI } }: Context) =>
  Boolean(process.stdin.isTTY && process.stdout.isTTY && !CI)

/** Asks only about the recycle bin: it is the one obstacle that a word can remove. */
async function settled(context: Context, problem: unknown): Promise<boolean> {
  if (!(problem instanceof Twins) || !isTerminal(context)) return false
  context.print(`\n${problem.what}`)
  const choices = ['restore', 'purge', 'stop']
  // Loaded only where somebody is asked: it is most of the start-up time.
  const { question } = await import('zx')
  const answer = await question('restore (keeps their ids), purge (for good) or stop? ', { choices })
  if (answer === 'restore') await restore(context, problem.items)
  else if (answer === 'purge') {
    const left = await purge(context, problem.items)
    if (left.length > 0) throw mayNotPurge(left, context.environment.AZURE_ENV_NAME)
  } else return false
  return true
}

/** Throws one error with every problem that is left. */
export async function preprovision(context: Context): Promise<void> {
  const problems = await runChecks(preflight(context), {
    isTerminal: isTerminal(context),
    print: context.print,
  })
  const left: unknown[] = []
  for (const problem of problems) if (!(await settled(context, problem))) left.push(problem)
  // What was in the recycle bin may have been the cause of another problem too.
  if (left.length < problems.length) return preprovision(context)
  if (left.length > 0) throw new AggregateError(left, left.map(explain).join('\n\n✗ '))
  // Last: whatever else is wrong must not leave a server without its scopes.
  if (context.environment.AZURE_SUBSCRIPTION_ID === NOT_ASKED_YET) return
  const disabled = await disableSwitchedOff(context, namesOf(context.environment))
  if (disabled.length > 0)
    context.print(`✓ disabled, because their tool sets are off: ${disabled.join(', ')}`)
}

await runScript(
  import.meta,
  {
    help: `
azd hooks run preprovision
Checks, before a deployment, what would make it fail half-way: azd's version, tenant, rights, unique names, recycle
bin, URLs, tool sets that nobody has named, removed scopes, objects deleted by hand. In a terminal it offers to restore or purge objects of this
environment that are in the recycle bin. When nothing is wrong it disables the scopes and roles of tool sets that
TOOL_SETS no longer names: Entra lets a deployment remove disabled ones only. Nothing else is changed. azd provision runs it before it asks for the subscription: what
depends on that is then left out, and said.`,
    early: true,
  },
  preprovision,
)
