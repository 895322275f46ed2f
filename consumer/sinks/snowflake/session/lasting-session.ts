import { setParameters } from '../sql/session-parameters.ts'
import type { SnowflakeSession, Statement, StatementResult } from './session.ts'

/** A session that is opened when it is first needed, and anew after a statement has failed; many may use it, one after another. */
export class LastingSession implements SnowflakeSession {
  readonly #open: () => Promise<SnowflakeSession>
  #session: SnowflakeSession | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(open: () => Promise<SnowflakeSession>) {
    this.#open = open
  }

  async run(statement: Statement): Promise<StatementResult> {
    return await this.#inTurn(async session => await session.run(statement))
  }

  async put(...args: Parameters<SnowflakeSession['put']>): Promise<void> {
    await this.#inTurn(async session => await session.put(...args))
  }

  async close(): Promise<void> {
    await this.#last
    await this.#session?.close()
    this.#session = undefined
  }

  async #inTurn<T>(work: (session: SnowflakeSession) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => await this.#using(work))
    this.#last = result.catch(() => {})
    return await result
  }

  async #using<T>(work: (session: SnowflakeSession) => Promise<T>): Promise<T> {
    this.#session ??= await this.#opened()
    try {
      return await work(this.#session)
    } catch (error) {
      const failed = this.#session
      this.#session = undefined
      // It may be what failed.
      await failed.close().catch(() => {})
      throw error
    }
  }

  async #opened(): Promise<SnowflakeSession> {
    const session = await this.#open()
    await session.run(setParameters())
    return session
  }
}
