/**
 * The answer of Azure Resource Manager to a what-if, as `az deployment sub what-if --no-pretty-print` prints it.
 * Source: WhatIfOperationResult of Microsoft.Resources/deployments, 2025-04-01. The command line flattens
 * `properties`; the REST API does not: both are read.
 */
import { z } from 'zod'
import { jsonIn } from './command.ts'

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
