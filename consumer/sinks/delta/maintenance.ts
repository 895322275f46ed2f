import type { Clock } from '../../../lib/clock.ts'
import type { Log } from '../../../lib/log.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { writeCheckpoint } from './checkpoint.ts'
import { readHint } from './load.ts'
import { checkpointInterval } from './retention.ts'
import type { Snapshot } from './snapshot.ts'

/** Intervals without a checkpoint after which any process makes up for one that was lost. */
const MISSED_INTERVALS = 3

/** What a checkpoint under way gets to end when the process stops; one that is cut off leaves nothing behind. */
const CLOSE_MS = 2_000

/** Checkpoints, off the commit path: one at a time, none is needed for correctness, so trouble is only logged. */
export class Maintenance {
  readonly #options: { readonly clock: Clock; readonly log: Log; readonly isEnabled: boolean }
  readonly #stopping = new AbortController()
  /** Newest checkpoint known, per table. */
  readonly #known = new Map<string, number>()
  #work: Promise<void> | undefined

  constructor(options: { readonly clock: Clock; readonly log: Log; readonly isEnabled: boolean }) {
    this.#options = options
  }

  /** Starts a checkpoint when the version that was just written calls for one. `store` is rooted at the table. */
  onCommit(store: ObjectStore, table: string, snapshot: Snapshot): void {
    if (!this.#options.isEnabled || this.#work !== undefined || this.#stopping.signal.aborted) return
    const interval = checkpointInterval(snapshot.version, snapshot.metadata)
    const isDue = snapshot.version % interval === 0 && snapshot.version > 0
    const isMissed = snapshot.version - (this.#known.get(table) ?? 0) >= MISSED_INTERVALS * interval
    if (!isDue && !isMissed) return
    this.#work = this.#checkpoint(store, table, snapshot, isDue ? 0 : interval)
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#options.log.warn('a checkpoint was not written', { table }, error)
      })
      .finally(() => {
        this.#work = undefined
      })
  }

  async close(): Promise<void> {
    const timer = new AbortController()
    await Promise.race([this.#work, this.#options.clock.sleep(CLOSE_MS, timer.signal)])
    timer.abort()
    this.#stopping.abort()
    await this.#work
  }

  async #checkpoint(store: ObjectStore, table: string, snapshot: Snapshot, tolerance: number): Promise<void> {
    const { version } = snapshot
    const latest = tolerance > 0 ? await readHint(store) : undefined
    if (latest !== undefined && version - latest <= tolerance) {
      this.#known.set(table, latest)
      return
    }
    await writeCheckpoint(store, snapshot, this.#options.clock.now(), this.#stopping.signal)
    this.#known.set(table, version)
    this.#options.log.info('checkpoint written', { table, version })
  }
}
