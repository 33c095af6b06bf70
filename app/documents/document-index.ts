import { deadlines, within } from '../deadline.ts'
import type { Found } from './answer.ts'
import type { ServiceCredential } from './search.ts'

type Question = Readonly<{ query: string; top: number; userToken: string }>
type Ask = (question: Question & { signal: AbortSignal }) => Promise<Found[]>

/** The index of the documents: the server may ask, and the service trims the answer to what a user may read. */
export class DocumentIndex {
  readonly #open: () => Promise<Ask>
  #ask: Promise<Ask> | undefined

  /** `credential` is asked for once, with the first question. */
  constructor(endpoint: string, credential: () => Promise<ServiceCredential>) {
    this.#open = async () => {
      // Loaded when first needed: a server without the tool set never is.
      const [{ find, openIndex }, granted] = await Promise.all([import('./search.ts'), credential()])
      const index = openIndex(endpoint, granted)
      return (question) => find(index, question)
    }
  }

  /**
   * At most `top` documents that the user of the token may read, the best first. Throws DeadlineExceeded, and what
   * `find` and the credential throw.
   */
  async find(question: Question, deadlineMs: number = deadlines.downstream): Promise<Found[]> {
    this.#ask ??= this.#open().catch((error: unknown) => {
      this.#ask = undefined
      throw error
    })
    const ask = await this.#ask
    return within(deadlineMs, (signal) => ask({ ...question, signal }))
  }
}
