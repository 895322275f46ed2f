import type { Connection, StatementOption } from 'snowflake-sdk'
import { RetryableError, invariant } from '../../../../lib/errors.ts'
import { StatementError, statementError, type DriverError } from './errors.ts'
import type { Row, SnowflakeSession, StageFile, Statement, StatementResult } from './session.ts'
import { whileAnswering } from './pulse.ts'
import { within } from './within.ts'

export interface DriverSessionLimits {
  readonly statementMs: number
  /** A statement may take long: meanwhile Snowflake is asked so often whether it is there. */
  readonly beatMs: number
  readonly uploadMs: number
  readonly closeMs: number
}

/** DML answers with one row of these, each a number of rows. */
const AFFECTED = /^number of rows (?:inserted|updated|deleted)$/
const FILE_NAME = /^[-\w.]{1,200}$/
const STAGE = /^@(?:"[A-Z_][A-Z0-9_$]*"\.){0,2}"[A-Z_][A-Z0-9_$]*"$/

/** A session by Snowflake's client. Once a statement had no answer it is of no use: whether the next is run is unknown. */
export class DriverSession implements SnowflakeSession {
  readonly #connection: Connection
  readonly #limits: DriverSessionLimits
  #previous: Promise<unknown> = Promise.resolve()
  #lost: RetryableError | undefined

  constructor(connection: Connection, limits: DriverSessionLimits) {
    this.#connection = connection
    this.#limits = limits
  }

  async run(statement: Statement): Promise<StatementResult> {
    const { text, binds = [] } = statement
    const options: StatementOption = { sqlText: text, ...(binds.length === 0 ? {} : { binds: [...binds] }) }
    const { statementMs, beatMs } = this.#limits
    return await this.#inTurn(async () => {
      return await this.#watched(async () => {
        const executed = this.#execute(options, binds, statementMs)
        return await whileAnswering(executed, async () => await this.#beat(), beatMs, silent)
      })
    })
  }

  async put(stage: string, { name, bytes, compression }: StageFile): Promise<void> {
    invariant(FILE_NAME.test(name) && STAGE.test(stage), 'a file of a stage has a plain name')
    // From memory: nothing is written to a disk that may be read-only. The name ends at the quote.
    const sqlText = `PUT 'file://${name}' '${stage}' AUTO_COMPRESS=FALSE SOURCE_COMPRESSION=${compression} OVERWRITE=TRUE PARALLEL=2`
    const options = { sqlText, fileStream: bytes }
    await this.#inTurn(
      async () => await this.#watched(async () => await this.#execute(options, [], this.#limits.uploadMs))
    )
  }

  async close(): Promise<void> {
    this.#lost ??= new RetryableError('SnowflakeSessionGone', 'the session is closed')
    const destroyed = new Promise<void>(resolve => {
      this.#connection.destroy(() => resolve())
    })
    // When it cannot be told, Snowflake ends the session by itself.
    await within(destroyed, this.#limits.closeMs, () => new Error('no answer')).catch(() => {})
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#previous.then(async () => {
      if (this.#lost !== undefined) throw this.#lost
      return await work()
    })
    this.#previous = turn.catch(() => {})
    return await turn
  }

  async #execute(options: StatementOption, binds: readonly unknown[], ms: number): Promise<StatementResult> {
    const executed = new Promise<StatementResult>((resolve, reject) => {
      const complete: StatementOption['complete'] = (error, _, rows) => {
        if (error) reject(statementError(error, binds))
        else resolve(resultOf((rows ?? []) as readonly Row[]))
      }
      try {
        this.#connection.execute({ ...options, complete })
      } catch (error) {
        reject(statementError(error as DriverError, binds))
      }
    })
    const late = () => new RetryableError('SnowflakeTimeout', `no answer to a statement within ${ms / 1000} s`)
    return await within(executed, ms, late)
  }

  async #beat(): Promise<void> {
    if (!(await this.#connection.isValidAsync())) throw silent()
  }

  /** A session of which it is unknown what it runs is of no use. */
  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof RetryableError && !(error instanceof StatementError)) this.#lost = error
      throw error
    }
  }
}

/** The client itself would ask again for hours. */
const silent = () => new RetryableError('SnowflakeUnavailable', 'Snowflake answers no more')

function resultOf(rows: readonly Row[]): StatementResult {
  const [first] = rows
  const counts = first === undefined ? [] : Object.entries(first).filter(([name]) => AFFECTED.test(name))
  return {
    rows,
    affected: counts.length === 0 ? undefined : counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }
}
