import type { Clock } from '../../../lib/clock.ts'
import type { Log } from '../../../lib/log.ts'
import type { CommitAuthor } from '../../sink.ts'
import type { OffsetKey } from '../offset-key.ts'
import type { DeadLetterFile, Txn } from './actions.ts'
import { deadLetterEntry } from './entry.ts'
import { markersIn } from './offsets.ts'
import type { DeltaTable } from './table.ts'

export interface DeadLettersOptions {
  readonly main: DeltaTable
  /** The dead-letter table of the pipeline as it is; undefined when its policy has none. */
  readonly own: DeltaTable | undefined
  /** Opens a dead-letter table that an earlier configuration wrote to; undefined when it is gone. */
  readonly openOther: (table: string) => Promise<DeltaTable | undefined>
  readonly author: CommitAuthor
  readonly clock: Clock
  readonly log: Log
}

/**
 * Publishes dead letters. The main table's commit alone decides them: it names their file and sets a marker per key to
 * its own version. One commit in the dead-letter table then adds the file and sets the same markers: a marker behind the
 * main table's is work left by a crash, and whoever finds it first does it, once.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions
  readonly #others = new Map<string, DeltaTable | undefined>()
  /** Versions that need no more work here although our own dead-letter table has no marker of them. */
  readonly #settled = new Set<number>()

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** Publishes what the main table's newest known state decided for these keys and is not yet in its dead-letter table. */
  async publishPending(isWanted: (key: OffsetKey) => boolean): Promise<void> {
    const pending = this.#pending(isWanted)
    if (pending.length === 0) return
    // Another process may have published it since we last looked.
    await this.#options.own?.refresh()
    for (const version of this.#pending(isWanted)) await this.#publish(version)
  }

  #pending(isWanted: (key: OffsetKey) => boolean): readonly number[] {
    const { main, own } = this.#options
    const versions = new Set<number>()
    for (const [key, { appId, version }] of markersIn(main.snapshot?.txns ?? new Map())) {
      if (!isWanted(key) || this.#settled.has(Number(version))) continue
      if (markerIn(own?.snapshot?.txns, appId) < Number(version)) versions.add(Number(version))
    }
    return [...versions].sort((a, b) => a - b)
  }

  async #publish(version: number): Promise<void> {
    const { main, own, log, author, clock } = this.#options
    const entry = await main.entry(version)
    const decided = entry?.actions.find(({ commitInfo }) => commitInfo?.bronze !== undefined)?.commitInfo?.bronze
    if (decided === undefined) {
      log.error('dead letters were decided in a log entry that is gone: they cannot be published', {
        table: main.name,
        version
      })
      this.#settled.add(version)
      return
    }
    const markers = markersIn(new Map(entry?.actions.flatMap(({ txn }) => (txn ? [[txn.appId, txn]] : [])))).map(
      ([, txn]) => txn
    )
    for (const [table, files] of Map.groupBy(decided.deadLetters, each => each.table)) {
      const target = table === own?.name ? own : await this.#other(table)
      if (target === undefined) {
        log.error('dead letters cannot be published: their table is gone', { table, version })
        continue
      }
      const present = await presentFiles(target, files, log)
      await target.transact<undefined>(decided.commitIds, ({ txns }) => {
        // All markers of a version are set in one commit: one tells for all.
        const isPublished = markers.some(({ appId }) => markerIn(txns, appId) >= version)
        if (isPublished) return { stop: undefined }
        return { write: deadLetterEntry(decided.commitIds, markers, present, author, clock.now()) }
      })
    }
    if (own === undefined || decided.deadLetters.some(({ table }) => table !== own.name)) this.#settled.add(version)
  }

  async #other(table: string): Promise<DeltaTable | undefined> {
    if (!this.#others.has(table)) this.#others.set(table, await this.#options.openOther(table))
    return this.#others.get(table)
  }
}

/** A file that was deleted with its table must not be named in the new one: readers would fail on it. */
async function presentFiles(
  target: DeltaTable,
  files: readonly DeadLetterFile[],
  log: Log
): Promise<readonly DeadLetterFile[]> {
  const present: DeadLetterFile[] = []
  for (const each of files) {
    if ((await target.store.size(each.file.path)) !== undefined) present.push(each)
    else
      log.error('a file of dead letters is gone: its rows are lost', {
        table: target.name,
        file: each.file.path,
        rows: each.file.rows
      })
  }
  return present
}

const markerIn = (txns: ReadonlyMap<string, Txn> | undefined, appId: string): number =>
  Number(txns?.get(appId)?.version ?? -1)
