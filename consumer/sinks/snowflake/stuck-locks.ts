import type { Clock } from '../../../lib/clock.ts'
import { FatalError } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import { StatementError } from './session/errors.ts'
import type { TableObjects } from './sql/objects.ts'
import type { TableSession } from './table-session.ts'

export interface StuckLimits {
  /** The ledger's lock is held for the last two statements of a commit. */
  readonly ledgerMs: number
  /** Mode Merge holds the table's for the rest of its commit, whose statements may take ten minutes. */
  readonly mainMs: number
}

/**
 * Locks that a process took with it when it was killed: Snowflake keeps them for five minutes of idleness. Who holds one at lock
 * timeouts so far apart is aborted; a live transaction that is hit finds out before it commits, and begins anew.
 */
export class StuckLocks {
  readonly #objects: TableObjects
  readonly #clock: Clock
  readonly #log: Log
  readonly #limits: StuckLimits
  #seenMs = new Map<string, number>()

  constructor(objects: TableObjects, clock: Clock, log: Log, limits: StuckLimits) {
    this.#objects = objects
    this.#clock = clock
    this.#log = log
    this.#limits = limits
  }

  /** To be called after a lock timeout, outside of a transaction. */
  async onLockTimeout(session: TableSession): Promise<void> {
    try {
      const holders = await this.#holders(session)
      const nowMs = this.#clock.now()
      const seenMs = new Map<string, number>()
      for (const [id, limitMs] of holders) {
        const firstMs = this.#seenMs.get(id)
        if (firstMs === undefined || nowMs - firstMs < limitMs) {
          seenMs.set(id, firstMs ?? nowMs)
          continue
        }
        this.#log.warn('a transaction that keeps a lock is aborted', { table: this.#objects.tableRef, transaction: id })
        await session.abort(id)
      }
      this.#seenMs = seenMs
    } catch (error) {
      if (!(error instanceof StatementError || error instanceof FatalError)) throw error
      this.#log.debug('locks cannot be listed', { table: this.#objects.tableRef })
    }
  }

  /** Transaction to how long it may hold what it holds. */
  async #holders(session: TableSession): Promise<ReadonlyMap<string, number>> {
    const { ledgerMs, mainMs } = this.#limits
    const limits = new Map([
      [plain(this.#objects.tableRef), mainMs],
      [plain(this.#objects.ledgerRef), ledgerMs]
    ])
    const holders = new Map<string, number>()
    const { rows } = await session.run({ text: 'SHOW LOCKS' })
    for (const { resource, transaction, status } of rows) {
      const limitMs = limits.get(plain(resource ?? ''))
      if (limitMs === undefined || transaction == null || status !== 'HOLDING') continue
      holders.set(transaction, Math.min(limitMs, holders.get(transaction) ?? Infinity))
    }
    return holders
  }
}

const plain = (name: string) => name.replaceAll('"', '')
