import type { Directory } from '../directory.ts'

/** One call that could change the directory. */
export interface Write {
  method: string
  /** As asked for, below /v1.0, without the query. */
  path: string
  status: number
  /** False when the directory was the same before and after. */
  changed: boolean
}

/** Every write, in order, refused ones included: a second run of an idempotent script leaves it empty. */
export class Journal {
  readonly writes: Write[] = []

  reset(): void {
    this.writes.length = 0
  }
}

/** Equal when nothing that Graph could show has changed. */
export const fingerprint = (directory: Directory): string => JSON.stringify(directory)
