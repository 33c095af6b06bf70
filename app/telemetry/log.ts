import type { LogLevel } from '../config.ts'
import { describe, faultFields } from './fault.ts'

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info']

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** One JSON object per line. Fields are codes, ids and numbers: never names, tokens or contents. */
export type Log = Readonly<{
  /** Decisions are written at every level. */
  audit: (fields: Fields) => void
  /** A fault of ours: what it is, where, and its codes; never its text. */
  fault: (error: unknown, fields?: Fields) => void
  error: (message: string, fields?: Fields) => void
  warn: (message: string, fields?: Fields) => void
  info: (message: string, fields?: Fields) => void
}>

export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const line = (fields: Fields) => write(`${JSON.stringify({ time: new Date().toISOString(), ...fields })}\n`)
  const at = (own: LogLevel) => (message: string, fields?: Fields) => {
    if (LEVELS.indexOf(own) <= LEVELS.indexOf(level)) line({ level: own, message, ...fields })
  }
  const error = at('error')
  return {
    audit: line,
    fault: (fault, fields) => error(describe(fault), { ...faultFields(fault), ...fields }),
    error,
    warn: at('warn'),
    info: at('info'),
  }
}

/** Writes the lines of one turn of the event loop at once: a write to a pipe blocks. */
export function batched(stream: NodeJS.WritableStream): (line: string) => void {
  let lines: string[] = []
  const flush = () => {
    stream.write(lines.join(''))
    lines = []
  }
  return (line) => {
    if (lines.push(line) === 1) setImmediate(flush)
  }
}
