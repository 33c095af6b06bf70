import type { RequestHandler, Response } from 'express'
import type { Directory } from '../../../../scripts/emulators/directory.ts'

/** One call that could change the directory, refused ones included: a second run of an idempotent script makes none. */
export interface Write {
  method: string
  /** As asked for, below /v1.0, without the query. */
  path: string
  status: number
  /** False when the directory was the same before and after. */
  changed: boolean
}

/** POSTs that only ask. */
const QUESTION = /\/\$batch$/

/** Notes every call that could write, in order; its status follows with the answer's head, before a byte of it is sent. */
export function keepJournal(journal: Write[]): RequestHandler {
  return ({ method, originalUrl }, response, next) => {
    const path = decodeURIComponent(originalUrl.replace(/^.*?\/v1\.0/, '').replace(/\?.*$/, ''))
    if (method !== 'GET' && !QUESTION.test(path)) {
      const write: Write = { method, path, status: 0, changed: false }
      journal.push(write)
      response.locals.write = write
      const { writeHead } = response
      const noted = (...head: unknown[]) => {
        write.status = response.statusCode
        return Reflect.apply(writeHead, response, head)
      }
      Object.assign(response, { writeHead: noted })
    }
    next()
  }
}

/** Lets a call work and notes whether it changed anything that Graph could show. */
export function noting<T>({ locals }: Response, directory: Directory, work: () => T): T {
  const write: Write | undefined = locals.write
  if (!write) return work()
  const before = JSON.stringify(directory)
  const result = work()
  write.changed = JSON.stringify(directory) !== before
  return result
}
