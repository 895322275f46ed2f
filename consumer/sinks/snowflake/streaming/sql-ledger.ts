import type { Clock } from '../../../../lib/clock.ts'
import { RetryableError, invariant } from '../../../../lib/errors.ts'
import type { CommitAuthor } from '../../../sink.ts'
import { formatKey, type OffsetKey } from '../../offset-key.ts'
import { insertCommits } from '../sql/commits.ts'
import { readKeys, readTopics, sentinelMissing } from '../sql/ledger-table.ts'
import type { TableObjects } from '../sql/objects.ts'
import type { StatementResult } from '../session/session.ts'
import type { TableSession } from '../table-session.ts'
import {
  deleteLetters,
  holdKeys,
  ledgerEntries,
  lockLedger,
  moveKeys,
  pinKeys,
  settleKeys,
  takeKeys,
  type Stamp
} from './ledger-statements.ts'
import type { LedgerMove, OrphanedLetters, StreamingLedger } from './ledger.ts'
import type { LedgerEntry } from './position.ts'

export interface SqlLedgerOptions {
  readonly session: TableSession
  readonly objects: TableObjects
  readonly clock: Clock
  readonly author: CommitAuthor
}

/** The ledger table over a session. Each call is a transaction, and whoever is in one holds the ledger's lock. */
export class SqlLedger implements StreamingLedger {
  readonly #session: TableSession
  readonly #objects: TableObjects
  readonly #clock: Clock
  readonly #author: CommitAuthor

  constructor({ session, objects, clock, author }: SqlLedgerOptions) {
    this.#session = session
    this.#objects = objects
    this.#clock = clock
    this.#author = author
  }

  async read(topics: readonly string[]): Promise<readonly LedgerEntry[]> {
    return await this.#session.reading(async () => {
      return ledgerEntries((await this.#session.run(readTopics(this.#objects, topics))).rows)
    })
  }

  async take(keys: readonly OffsetKey[], writeId: string): Promise<ReadonlyMap<string, LedgerEntry>> {
    return await this.#locked(async stamp => {
      const former = await this.#entries(keys)
      const taken = keys.map(key => ({ key, holding: { writeId, mark: former.get(formatKey(key))?.mark } }))
      const rows = affected(await this.#session.run(takeKeys(this.#objects, taken, stamp)))
      if (rows !== keys.length) throw damaged(this.#objects, keys.length, rows)
      return former
    })
  }

  async confirm(
    channels: readonly { readonly key: OffsetKey; readonly createdOnMs: number }[],
    writeId: string
  ): Promise<readonly string[]> {
    return await this.#locked(async () => {
      const held = channels.map(({ key, createdOnMs }) => ({
        key,
        holding: { writeId, mark: { createdOnMs, isSettled: false } }
      }))
      const rows = affected(await this.#session.run(holdKeys(this.#objects, held)))
      if (rows === channels.length) return []
      const keys = channels.map(({ key }) => key)
      const entries = await this.#entries(keys)
      return keys.map(formatKey).filter(key => entries.get(key)?.writeId !== writeId)
    })
  }

  async holders(keys: readonly OffsetKey[]): Promise<ReadonlyMap<string, string>> {
    return await this.#session.reading(async () => {
      const entries = await this.#entries(keys)
      return new Map([...entries].map(([key, { writeId }]) => [key, writeId]))
    })
  }

  async pin(moves: readonly Omit<LedgerMove, 'writeId'>[], commitId: string): Promise<readonly LedgerEntry[]> {
    return await this.#locked(async stamp => {
      const there = await this.#entries(moves.map(({ key }) => key))
      if (there.size > 0) return [...there.values()]
      const rows = affected(await this.#session.run(pinKeys(this.#objects, moves, stamp)))
      if (rows !== moves.length) throw damaged(this.#objects, moves.length, rows)
      await this.#tell(moves, commitId, stamp)
      return []
    })
  }

  async move(moves: readonly LedgerMove[], commitId: string): Promise<readonly string[]> {
    const keys = moves.map(({ key }) => key)
    return await this.#locked(async stamp => {
      const entries = await this.#entries(keys)
      const lost = moves.filter(({ key, writeId }) => entries.get(formatKey(key))?.writeId !== writeId)
      if (lost.length > 0) return lost.map(({ key }) => formatKey(key))
      const rows = affected(await this.#session.run(moveKeys(this.#objects, moves, stamp)))
      if (rows !== moves.length) throw damaged(this.#objects, moves.length, rows)
      await this.#tell(moves, commitId, stamp)
      return []
    })
  }

  async settle(ends: Parameters<StreamingLedger['settle']>[0]): Promise<void> {
    await this.#locked(async () => {
      const settled = ends.map(({ key, writeId, createdOnMs, next }) => ({
        key,
        next,
        holding: { writeId, mark: { createdOnMs, isSettled: true } }
      }))
      await this.#session.run(settleKeys(this.#objects, settled))
    })
  }

  async deleteLetters(orphans: readonly OrphanedLetters[]): Promise<void> {
    const { deadLetterRef } = this.#objects
    invariant(deadLetterRef !== undefined, 'there is a dead-letter table')
    await this.#transaction(async () => {
      for (const orphan of orphans) await this.#session.run(deleteLetters(deadLetterRef, orphan))
    })
  }

  async close(): Promise<void> {
    await this.#session.discard()
  }

  async #entries(keys: readonly OffsetKey[]): Promise<ReadonlyMap<string, LedgerEntry>> {
    const { rows } = await this.#session.run(readKeys(this.#objects, keys))
    return new Map(ledgerEntries(rows).map(entry => [formatKey(entry.key), entry]))
  }

  /** For history: rows that go through channels are counted in their table. */
  async #tell(
    moves: readonly Omit<LedgerMove, 'writeId'>[],
    commitId: string,
    { author, nowMs }: Stamp
  ): Promise<void> {
    const rows = moves.map(({ key: { topic, topicId, partition, epoch }, expected, next, deadLetters }) => {
      const counts = { records: 0, deadLetters }
      return { commitId, topic, topicId, partition, epoch, from: expected, next, ...counts }
    })
    await this.#session.run(insertCommits(this.#objects, rows, { author, committedAtMs: nowMs }))
  }

  async #locked<T>(work: (stamp: Stamp) => Promise<T>): Promise<T> {
    return await this.#transaction(async () => {
      const stamp = { author: this.#author, nowMs: this.#clock.now() }
      if (affected(await this.#session.run(lockLedger(this.#objects, stamp))) > 0) return await work(stamp)
      throw sentinelMissing(this.#objects)
    })
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#session.abortLost()
    await this.#session.begin()
    try {
      const result = await work()
      await this.#session.commit()
      return result
    } catch (error) {
      await this.#session.rollback()
      throw error
    }
  }
}

const affected = ({ affected: rows }: StatementResult): number => rows ?? 0

const damaged = ({ ledgerRef }: TableObjects, expected: number, found: number): RetryableError =>
  new RetryableError('LedgerDamaged', `${ledgerRef} has ${found} rows for ${expected} keys: nothing is committed`)
