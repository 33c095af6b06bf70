import type { Decision, Outcome } from '../telemetry/audit.ts'

type Audit = Readonly<{
  outcome: Outcome
  /** Undefined: what has been decided stays. The reason is a fixed word. */
  decision?: readonly [Decision, string]
  /** Undefined: nothing that an operator should look at. */
  cause?: unknown
}>

/** A tool that cannot do its work: `message` is for the caller, the rest for the audit line and the log. */
export class ToolRefusal extends Error {
  override name = 'ToolRefusal'
  readonly outcome: Outcome
  readonly decision: readonly [Decision, string] | undefined

  constructor(message: string, { outcome, decision, cause }: Audit) {
    super(message, { cause })
    this.outcome = outcome
    this.decision = decision
  }
}
