import type { Clock } from '../../../lib/clock.ts'
import { FatalError } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import { costOf, isWarehouseRunning, queryCost, showWarehouse } from './sql/cost.ts'
import type { TableObjects } from './sql/objects.ts'
import { StatementError } from './session/errors.ts'
import type { TableSession } from './table-session.ts'

export interface WarehouseOptions {
  readonly session: TableSession
  readonly objects: TableObjects
  /** Undefined: the user's own default. */
  readonly name: string | undefined
  /** For logs and metrics. */
  readonly table: string
  readonly clock: Clock
  readonly log: Log
  readonly onSeconds: ((table: string, seconds: number) => void) | undefined
}

const LOOK_MS = 10_000
const COST_MS = 600_000

/** The warehouse that runs our statements, which costs while it is awake. */
export class Warehouse {
  readonly #options: WarehouseOptions
  readonly #hurry = new AbortController()
  #costSinceMs: number
  #isCostKnown = true

  constructor(options: WarehouseOptions) {
    this.#options = options
    this.#costSinceMs = options.clock.now()
  }

  /** Nobody waits any more. */
  hurry(): void {
    this.#hurry.abort()
  }

  /** Waits until somebody else's query has resumed it, at most so long. Asking for its state does not resume it. */
  async awake(maxMs: number): Promise<void> {
    const { clock, log, table } = this.#options
    const untilMs = clock.now() + maxMs
    for (let isFirst = true; !this.#hurry.signal.aborted && clock.now() < untilMs; isFirst = false) {
      if ((await this.#isRunning()) !== false) return
      if (isFirst) log.debug('waiting for the warehouse to be resumed', { table, maxMs })
      await clock.sleep(Math.min(LOOK_MS, untilMs - clock.now()), this.#hurry.signal)
    }
  }

  /** Tells what our statements took, now and then; called just after a commit, while the warehouse is awake. */
  async tellCost(): Promise<void> {
    const { clock, log, onSeconds, session, objects, table } = this.#options
    const nowMs = clock.now()
    if (onSeconds === undefined || !this.#isCostKnown || nowMs - this.#costSinceMs < COST_MS) return
    try {
      const { rows } = await session.run(queryCost(objects, this.#costSinceMs))
      const cost = costOf(rows)
      this.#costSinceMs = nowMs
      if (cost !== undefined) onSeconds(table, cost.seconds)
    } catch (error) {
      if (!(error instanceof StatementError || error instanceof FatalError)) throw error
      this.#isCostKnown = false
      const code = error instanceof FatalError ? error.reason : error.code
      log.info('the query history cannot be read: what commits cost is not counted', { table, code })
    }
  }

  async #isRunning(): Promise<boolean | undefined> {
    const { session, name } = this.#options
    const known = name ?? (await session.run({ text: 'SELECT CURRENT_WAREHOUSE() AS NAME' })).rows[0]?.['NAME']
    if (known == null) return undefined
    const { rows } = await session.run(showWarehouse(known))
    return isWarehouseRunning(rows, known)
  }
}
