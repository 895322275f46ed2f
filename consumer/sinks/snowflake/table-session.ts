import { createHash } from 'node:crypto'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { CommitAuthor } from '../../sink.ts'
import { StatementError } from './session/errors.ts'
import type { OpenSession, SnowflakeSession, StageFile, Statement, StatementResult } from './session/session.ts'
import { begin, COMMIT, ROLLBACK, setParameters } from './sql/session-parameters.ts'

export interface TableSessionOptions {
  readonly open: OpenSession
  /** The table's name, and who writes it: no other session of both may be open at the same time. */
  readonly table: string
  readonly author: CommitAuthor
  readonly log: Log
  /** Other than the session's own. */
  readonly lockTimeoutSeconds?: number | undefined
}

/** A statement may run so long, such as a MERGE into a large table; the session waits a little longer for its end. */
const STATEMENT_SECONDS = 600
const CURRENT: Statement = { text: 'SELECT CURRENT_TRANSACTION() AS ID' }
/** Of transactions whose session was lost, so many are remembered. */
const MAX_LOST = 20

/**
 * The one session of a table, opened when first needed and again after trouble. It never commits by itself: a statement that
 * strays behind the end of its transaction, such as one that the client sends again after the session was given up, or what
 * follows when somebody aborts the transaction, takes no effect.
 */
export class TableSession {
  readonly #options: TableSessionOptions
  readonly #name: string
  #session: SnowflakeSession | undefined
  /** Whether a transaction may be open, of `begin` or of a statement that began one. */
  #isOpen = false
  #transaction: string | undefined
  #lost: readonly string[] = []

  constructor(options: TableSessionOptions) {
    const { table, author } = options
    this.#options = options
    const owner = `${author.pipeline} ${author.consumerId} ${table}`
    this.#name = `BRONZE_${createHash('sha256').update(owner).digest('hex').slice(0, 32).toUpperCase()}`
  }

  async run(statement: Statement): Promise<StatementResult> {
    this.#isOpen = true
    return await this.#use(async session => await session.run(statement))
  }

  async put(stage: string, file: StageFile): Promise<void> {
    await this.#use(async session => await session.put(stage, file))
  }

  /** Statements that only read, or that commit by themselves; they leave no transaction open. */
  async reading<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      await this.rollback()
    }
  }

  async begin(): Promise<void> {
    await this.run(begin(this.#name))
    this.#transaction = await this.#current()
  }

  /**
   * RetryableError `TransactionAborted` when somebody ended the transaction that `begin` began: nothing of it is in, and nothing
   * of what came after it. Any other error leaves the outcome unknown.
   */
  async commit(): Promise<void> {
    const current = await this.#current()
    if (current !== this.#transaction)
      throw new RetryableError('TransactionAborted', 'the transaction was aborted from outside')
    await this.run(COMMIT)
    this.#ended()
  }

  /** Never throws: a session whose transaction cannot be ended is given up. */
  async rollback(): Promise<void> {
    if (this.#session === undefined || !this.#isOpen) return
    try {
      await this.run(ROLLBACK)
      this.#ended()
    } catch {
      await this.discard()
    }
  }

  /** Ends transactions of sessions that were lost, so that they hold no lock; what has committed stays. */
  async abortLost(): Promise<void> {
    for (const id of this.#lost) await this.abort(id)
    this.#lost = []
  }

  /** Ends what an earlier process of ours left open when it was killed. */
  async abortPredecessors(): Promise<void> {
    const { rows } = await this.run({ text: 'SHOW TRANSACTIONS' })
    for (const { name, id } of rows) if (name === this.#name && id != null) await this.abort(id)
  }

  /** Ends a transaction of whichever session, as far as we may. */
  async abort(id: string): Promise<void> {
    if (!/^\d+$/.test(id)) return
    try {
      await this.run({ text: `SELECT SYSTEM$ABORT_TRANSACTION(${id})` })
    } catch (error) {
      // It is another user's, or we may not: its lock goes by itself after five minutes.
      if (!(error instanceof StatementError || error instanceof FatalError)) throw error
      this.#options.log.debug('a transaction could not be aborted', { id })
    }
  }

  /** Gives the session up; the next statement opens another. */
  async discard(): Promise<void> {
    const session = this.#session
    if (session === undefined) return
    this.#session = undefined
    if (this.#transaction !== undefined) this.#lost = [...this.#lost, this.#transaction].slice(-MAX_LOST)
    this.#ended()
    await session.close()
  }

  #ended(): void {
    this.#isOpen = false
    this.#transaction = undefined
  }

  async #current(): Promise<string> {
    const { rows } = await this.run(CURRENT)
    const id = rows[0]?.['ID'] ?? undefined
    if (id === undefined) throw new RetryableError('TransactionAborted', 'the transaction is not there')
    return id
  }

  async #use<T>(work: (session: SnowflakeSession) => Promise<T>): Promise<T> {
    this.#session ??= await this.#open()
    try {
      return await work(this.#session)
    } catch (error) {
      if (error instanceof RetryableError && !(error instanceof StatementError)) await this.discard()
      throw error
    }
  }

  async #open(): Promise<SnowflakeSession> {
    const { open, table, author, lockTimeoutSeconds } = this.#options
    const session = await open(`bronze ${author.pipeline} ${table}`)
    try {
      const lock = lockTimeoutSeconds === undefined ? {} : { LOCK_TIMEOUT: lockTimeoutSeconds }
      await session.run(setParameters({ AUTOCOMMIT: false, STATEMENT_TIMEOUT_IN_SECONDS: STATEMENT_SECONDS, ...lock }))
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  }
}
