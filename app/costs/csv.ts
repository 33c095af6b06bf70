import { stringify } from 'csv-stringify/sync'
import type { Cost } from './answer.ts'

const HEADER = ['date', 'service', 'amount', 'currency']
/** More than a cent's billionth is noise of floating point. */
const DECIMALS = 10

/**
 * Records of RFC 4180 with CRLF. A text that a spreadsheet would take for a formula begins with an apostrophe (OWASP,
 * "CSV Injection"); numbers stay numbers, refunds included.
 */
const records = (rows: readonly (readonly (string | number)[])[]) =>
  stringify([...rows], { record_delimiter: 'windows', escape_formulas: true })

/** Control characters and the like would hide what a cell begins with; no service's name has any. */
const plain = (text: string) => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()

const rowOf = ({ day = '', service, amount, currency }: Cost) => [
  day,
  plain(service),
  Number(amount.toFixed(DECIMALS)),
  currency,
]

const ordered = (costs: readonly Cost[]) =>
  costs.toSorted((one, other) => {
    const [mine, theirs] = [one, other].map(({ service, currency }) => `${service}\n${currency}`)
    return (mine ?? '') < (theirs ?? '') ? -1 : 1
  })

/** A CSV file that grows by whole days until it would be larger than it may be. */
export class CsvFile {
  #text = records([HEADER])
  #bytes = Buffer.byteLength(this.#text)
  #rows = 0
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Adds the costs of one day, all or none of them: false when there is no room. */
  add(costs: readonly Cost[]): boolean {
    const text = records(ordered(costs).map(rowOf))
    const bytes = this.#bytes + Buffer.byteLength(text)
    if (bytes > this.#maxBytes) return false
    this.#text += text
    this.#bytes = bytes
    this.#rows += costs.length
    return true
  }

  get text(): string {
    return this.#text
  }

  get rows(): number {
    return this.#rows
  }
}
