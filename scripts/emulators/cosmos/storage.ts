import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

const schema = `
  CREATE TABLE IF NOT EXISTS documents (
    container TEXT NOT NULL, partition TEXT NOT NULL, id TEXT NOT NULL,
    etag TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (container, partition, id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS progress (only INTEGER PRIMARY KEY CHECK (only = 1), lsn INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO progress VALUES (1, 0);
`
const busyMs = 10_000

/** A row whose columns are all text. */
type Row = Record<string, string>

/** The file. Several processes may have it open; what was committed survives a killed process. */
export class Storage {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #inTransaction = false

  /** @param file a path, or `:memory:` */
  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: busyMs, open: false })
    try {
      this.#database.open()
      this.#writeAhead()
      this.transaction(() => this.#database.exec(schema))
    } catch (error) {
      if (this.#database.isOpen) this.close()
      throw unusable(file, error)
    }
  }

  /** SQLite does not wait for another process that is changing the journal of the same new file. */
  #writeAhead(): void {
    const end = Date.now() + busyMs
    for (;;) {
      try {
        this.#database.exec('PRAGMA journal_mode = WAL')
        return
      } catch (error) {
        if (!isBusy(error) || Date.now() > end) throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
      }
    }
  }

  rows(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql)
      .all(...values)
      .map(textOf)
  }

  row(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.rows(sql, ...values)[0]
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values)
  }

  /** All or nothing; inside of another transaction it is part of that one. */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) return work()
    // IMMEDIATE waits for other writers now; a later upgrade of a read lock would fail instead.
    this.#database.exec('BEGIN IMMEDIATE')
    this.#inTransaction = true
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  close(): void {
    this.#database.close()
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

const textOf = (row: Record<string, unknown>): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)]))

/** Without what extends it (https://sqlite.org/rescode.html). */
const codeOf = (error: unknown) =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined

/** SQLITE_BUSY. */
const isBusy = (error: unknown) => codeOf(error) === 5

/** SQLITE_PERM, READONLY, IOERR, FULL and CANTOPEN: what is wrong is around the file, not in it. */
const AROUND = new Set<unknown>([3, 8, 10, 13, 14])

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

export const unusableFolder = (folder: string, error: unknown): Error =>
  new Error(`DATA_DIR ${folder} cannot be used: ${messageOf(error)}. Name a folder that you may write.`, {
    cause: error,
  })

const unusable = (file: string, error: unknown): Error =>
  AROUND.has(codeOf(error))
    ? unusableFolder(dirname(file), error)
    : new Error(`${file}: ${messageOf(error)}. Move it away, or set DATA_DIR to another folder.`, {
        cause: error,
      })
