import type {
  SnowflakeSession,
  StageFile,
  Statement,
  StatementResult
} from '../../consumer/sinks/snowflake/session/session.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Fault, Operation } from './faulty-store.ts'

/** A client's view of a session, with trouble on demand. `path` of an operation is the statement, or the file's name. */
export class FaultySession implements SnowflakeSession {
  /** Asked before each operation; replaced at will. */
  fault: (operation: Operation) => Fault | undefined
  readonly #session: SnowflakeSession
  readonly #delayed: (() => Promise<unknown>)[]

  /** `delayed` gathers what is to take effect later. */
  constructor(
    session: SnowflakeSession,
    fault: (operation: Operation) => Fault | undefined,
    delayed: (() => Promise<unknown>)[]
  ) {
    this.#session = session
    this.fault = fault
    this.#delayed = delayed
  }

  async run(statement: Statement): Promise<StatementResult> {
    return await this.#do({ kind: 'statement', path: statement.text }, async () => await this.#session.run(statement))
  }

  async put(stage: string, file: StageFile): Promise<void> {
    await this.#do({ kind: 'put', path: file.name }, async () => await this.#session.put(stage, file))
  }

  /** As for a process that died: the server is not told. */
  async close(): Promise<void> {
    await this.#do({ kind: 'close', path: '' }, async () => await this.#session.close()).catch(() => {})
  }

  async #do<T>(operation: Operation, effect: () => Promise<T>): Promise<T> {
    const fault = this.fault(operation)
    if (fault === undefined) return await effect()
    if (fault === 'after') await effect()
    if (fault === 'delayed') this.#delayed.push(effect)
    throw new RetryableError('SnowflakeUnavailable', `${operation.kind} failed (${fault})`)
  }
}
