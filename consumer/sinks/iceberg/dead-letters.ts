import type { Clock } from '../../../lib/clock.ts'
import { invariant } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { CommitAuthor } from '../../sink.ts'
import { prepareAppend } from './append.ts'
import type { NewManifest } from './manifest-list.ts'
import type { TableMetadata } from './metadata.ts'
import { findCommit, nextState, pendingDeadLetters, readState } from './offsets.ts'
import { EMPTY_STATE, markerKey, type PendingDeadLetters } from './state.ts'
import type { IcebergTable, Prepared } from './table.ts'

export interface DeadLettersOptions {
  readonly main: IcebergTable
  /** The dead-letter table of the pipeline as it is; undefined when its policy has none. */
  readonly own: IcebergTable | undefined
  /** Opens a dead-letter table that an earlier configuration wrote to; undefined when it is gone. */
  readonly openOther: (table: string) => Promise<IcebergTable | undefined>
  readonly author: CommitAuthor
  readonly clock: Clock
  readonly log: Log
}

/**
 * Publishes dead letters. The main table's commit alone decides them: its summary names their manifests, under a marker per key
 * that is its own sequence number. One commit in the dead-letter table then adds the manifests and takes over the markers: a
 * marker behind the main table's is work left by a crash, and whoever finds it first does it, once.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions
  readonly #others = new Map<string, IcebergTable | undefined>()
  /** Sequence numbers that need no more work here although our own dead-letter table has no marker of them. */
  readonly #settled = new Set<number>()

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** Publishes what the main table's newest known state decided for these keys and is not yet in its dead-letter table. */
  async publishPending(isWanted: (key: string) => boolean): Promise<void> {
    if (this.#pending(isWanted).length === 0) return
    // Another process may have published it since we last looked.
    await this.#options.own?.refresh()
    for (const each of this.#pending(isWanted)) await this.#publish(each)
  }

  /** Whether nothing is left to do for dead letters that the main table names. */
  isDone(decided: PendingDeadLetters): boolean {
    const { main, own } = this.#options
    if (this.#settled.has(decided.sequenceNumber)) return true
    const published = own === undefined ? EMPTY_STATE : readState(own.metadata, own.name).state
    const named = { ...EMPTY_STATE, deadLetters: [decided] }
    return pendingDeadLetters(named, main.metadata.tableUuid, published).length === 0
  }

  /** The change of the pipeline's own dead-letter table that publishes these; for one step together with the main table's. */
  async prepare(decided: PendingDeadLetters): Promise<Prepared> {
    const { own } = this.#options
    invariant(own !== undefined, 'dead letters come only under policy Table')
    return await this.#append(own, own.metadata, decided, decided.manifests)
  }

  #pending(isWanted: (key: string) => boolean): readonly PendingDeadLetters[] {
    const { main } = this.#options
    const { deadLetters } = readState(main.metadata, main.name).state
    return deadLetters.filter(each => each.keys.some(isWanted) && !this.isDone(each))
  }

  async #publish(decided: PendingDeadLetters): Promise<void> {
    const { main, own, log } = this.#options
    const { table, tableUuid, sequenceNumber, commitIds, keys } = decided
    const target = table === own?.name ? own : await this.#other(table)
    if (target === undefined || target.metadata.tableUuid !== tableUuid) {
      log.error('dead letters cannot be published: their table is gone', { table, sequenceNumber })
      this.#settled.add(sequenceNumber)
      return
    }
    const present = await this.#present(target, decided)
    const markers = keys.map(key => markerKey(main.metadata.tableUuid, key))
    await target.transact<undefined>(commitIds, metadata => {
      const { state } = readState(metadata, target.name)
      // All markers of a commit are set at once: one tells for all.
      if (markers.some(marker => (state.markers.get(marker) ?? -1) >= sequenceNumber)) return { stop: undefined }
      return { write: async () => await this.#append(target, metadata, decided, present) }
    })
    if (target !== own) this.#settled.add(sequenceNumber)
  }

  async #append(
    target: IcebergTable,
    metadata: TableMetadata,
    { keys, sequenceNumber, commitIds }: PendingDeadLetters,
    manifests: readonly NewManifest[]
  ): Promise<Prepared> {
    const { main, author, clock } = this.#options
    const markers = new Map(keys.map(key => [markerKey(main.metadata.tableUuid, key), sequenceNumber]))
    const state = nextState(readState(metadata, target.name).state, { markers })
    // A catalog that broke its promise of one step may have them already, under the number of another attempt.
    const isIn = findCommit(metadata, commitIds).status === 'in'
    return await prepareAppend(target, metadata, { manifests: isIn ? [] : manifests, state, commitIds, author }, clock)
  }

  /** Files that were deleted with their table must not be named: readers would fail on them. */
  async #present(
    target: IcebergTable,
    { manifests, sequenceNumber }: PendingDeadLetters
  ): Promise<readonly NewManifest[]> {
    const present: NewManifest[] = []
    for (const manifest of manifests) {
      if (await target.files.exists(manifest.path)) present.push(manifest)
      else
        this.#options.log.error('a manifest of dead letters is gone: its rows are lost', {
          table: target.name,
          manifest: manifest.path,
          sequenceNumber
        })
    }
    return present
  }

  async #other(table: string): Promise<IcebergTable | undefined> {
    if (!this.#others.has(table)) this.#others.set(table, await this.#options.openOther(table))
    return this.#others.get(table)
  }
}
