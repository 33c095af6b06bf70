/** Something an operator can mend: what is wrong, why that matters, and the command that mends it. */
export class Problem extends Error {
  override name = 'Problem'
  readonly what: string
  readonly why: string
  readonly fix: string

  constructor({ what, why, fix }: { what: string; why: string; fix: string }) {
    super(`${what}\n  why: ${why}\n  fix: ${fix}`)
    this.what = what
    this.why = why
    this.fix = fix
  }
}
