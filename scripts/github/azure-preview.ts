/** What Azure Resource Manager says that a deployment would change. It says nothing about Microsoft Graph. */
import { z } from 'zod'
import { attempt } from '../cli/program.ts'
import { fenced, jsonIn } from './identity-preview.ts'

const UNSUPPORTED = 'Unsupported'
const Text = z.string().nullish()
const Change = z.looseObject({
  changeType: z.string(),
  // Missing only where the name is known during the deployment alone: such a change is Unsupported.
  resourceId: Text,
  symbolicName: Text,
  unsupportedReason: Text,
  delta: z.array(z.looseObject({ path: Text })).nullish(),
})
const Diagnostic = z.looseObject({ code: Text, level: Text, message: Text, target: Text })
const Found = z.looseObject({
  changes: z.array(Change).nullish(),
  potentialChanges: z.array(Change).nullish(),
  diagnostics: z.array(Diagnostic).nullish(),
})
const Answer = z.looseObject({
  ...Found.shape,
  status: Text,
  error: z.looseObject({ code: Text, message: Text }).nullish(),
  properties: Found.nullish(),
})

export type Change = z.infer<typeof Change>
export type Diagnostic = z.infer<typeof Diagnostic>
export interface ArmAnswer {
  changes: Change[]
  /** What may change, or not: it hangs on values of the deployment itself. */
  potential: Change[]
  diagnostics: Diagnostic[]
}

/** What Azure said, or in words why that is no preview. */
export function answerOf(text: string): ArmAnswer | { unreadable: string } {
  const json = jsonIn(text)
  if (json === undefined)
    return {
      unreadable: `Azure's answer is no JSON. It begins with: ${text.trim().slice(0, 300) || '(nothing)'}`,
    }
  const parsed = Answer.safeParse(json)
  if (!parsed.success) return { unreadable: 'Azure answered in a form that this check does not know.' }
  const { status, error, properties, ...flat } = parsed.data
  const found = properties ?? flat
  if (error || (status && !/^succeeded$/i.test(status)))
    return { unreadable: `Azure says ${status ?? 'Failed'}: ${said(error)}` }
  if (!found.changes) return { unreadable: 'Azure listed no changes at all, not even an empty list.' }
  const [changes, potential] = [found.changes, found.potentialChanges ?? []]
  if (
    [...changes, ...potential].some(({ resourceId, changeType }) => !resourceId && changeType !== UNSUPPORTED)
  )
    return { unreadable: 'Azure listed a change without saying of which resource.' }
  return { changes, potential, diagnostics: found.diagnostics ?? [] }
}

const said = (error: z.infer<typeof Answer>['error']) =>
  [error?.code, error?.message].filter(Boolean).join(': ') || 'it gives no reason.'

// Everything else is shown, a kind that is not known here too.
const QUIET = ['NoChange', 'Ignore', 'NoEffect']
// Kinds that say: not looked at, or not to the end.
const UNKNOWN = ['Unsupported', 'Deploy']
// Without any of these words a diagnostic is about one resource, not about resources that were left out.
const LEFT_OUT = /NestedDeployment|ShortCircuit|Skipped|ExpansionLimit|WhatIfEvalStopped|not.{0,20}expanded/i

export const AzurePreview = z.object({ failed: z.boolean(), markdown: z.string() })
export type AzurePreview = z.infer<typeof AzurePreview>

/** Texts of the template and of Azure end up in a table. */
const cell = (text: string) => text.replaceAll('|', '\\|').replace(/[\r\n`<>]/g, ' ')
const shortName = (id: string) => id.split('/').slice(-2).join('/')
const nameOf = ({ resourceId, symbolicName }: Change) =>
  resourceId ? shortName(resourceId) : symbolicName || 'a resource without an id yet'
const isShown = ({ changeType, unsupportedReason }: Change) =>
  !QUIET.includes(changeType) || Boolean(unsupportedReason)

const row = (change: Change, isSure: boolean) => {
  const paths = (change.delta ?? []).flatMap(({ path }) => (path ? [`\`${cell(path)}\``] : []))
  const more = [...paths, ...(change.unsupportedReason ? [cell(change.unsupportedReason)] : [])]
  const kind = isSure ? change.changeType : `${change.changeType}, perhaps`
  return `| ${cell(kind)} | \`${cell(nameOf(change))}\` | ${more.join(', ')} |`
}

const line = ({ code, level, message, target }: Diagnostic) =>
  `- ${cell([level, code].filter(Boolean).join(' ') || 'Note')}: ${cell(message || 'no text')}${target ? ` (\`${cell(shortName(target))}\`)` : ''}`

const isIncomplete = ({ changes, potential, diagnostics }: ArmAnswer) =>
  diagnostics.some(({ code, message, level }) => LEFT_OUT.test(`${code} ${message}`) || level === 'Error') ||
  [...changes, ...potential].some((change) => isShown(change) && UNKNOWN.includes(change.changeType))

function titleOf(sure: number, perhaps: number, incomplete: boolean): string {
  const count = `${sure} Azure resource${sure === 1 ? '' : 's'} would change${perhaps ? `, ${perhaps} perhaps` : ''}`
  if (incomplete) return `⚠️ Incomplete: Azure did not look at everything. ${count} as far as it is known`
  return sure + perhaps === 0 ? 'No Azure resource would change.' : count
}

export function azureMarkdown(answer: ArmAnswer): string {
  const [sure, perhaps] = [answer.changes.filter(isShown), answer.potential.filter(isShown)]
  const title = titleOf(sure.length, perhaps.length, isIncomplete(answer))
  const rows = [...sure.map((change) => row(change, true)), ...perhaps.map((change) => row(change, false))]
  const table = ['| change | resource | properties |', '| --- | --- | --- |', ...rows].join('\n')
  const changes = rows.length > 0 ? `<details><summary>${title}</summary>\n\n${table}\n\n</details>` : title
  if (answer.diagnostics.length === 0) return changes
  return `${changes}\n\nAzure adds:\n\n${answer.diagnostics.map(line).join('\n')}`
}

const failed = (why: string): AzurePreview => ({
  failed: true,
  markdown: `The preview of Azure resources failed:\n\n${fenced(why)}`,
})

/** az hands all that it has to the compiler, and the parameter file is that of the pull request. */
export const HIDDEN =
  /TOKEN|SECRET|PASSW|PWD|CREDENTIAL|PRIVATE|WEBHOOK|KEY$|CONNECTION_?STRING|(^|_)(AUTH|PAT|SAS|DSN)($|_)|^(ACTIONS|GITHUB|GH|RUNNER|INPUT)_/i

export async function azurePreview(environment: string, location: string): Promise<AzurePreview> {
  const args = [
    ...['deployment', 'sub', 'what-if', '--name', `preview-${environment}`, '--location', location],
    // The usual level asks for write rights, which a preview must not have.
    ...['--parameters', 'infra/main.bicepparam', '--validation-level', 'providerNoRbac'],
    ...['--no-pretty-print', '--output', 'json'],
  ]
  const { code, stdout, stderr } = await attempt('az', args, { hidden: HIDDEN })
  if (code !== 0) return failed(stderr || stdout || `az ended with exit code ${code} and said nothing.`)
  const answer = answerOf(stdout)
  if ('unreadable' in answer) return failed(answer.unreadable)
  return { failed: false, markdown: azureMarkdown(answer) }
}
