import type { OffsetKey } from '../../offset-key.ts'
import type { LedgerEntry } from './position.ts'

/** An offset that moves without a row. */
export interface LedgerMove {
  readonly key: OffsetKey
  /** Under which the key was taken. */
  readonly writeId: string
  readonly expected: number | undefined
  readonly next: number
  readonly deadLetters: number
}

/** Dead letters that were appended under a write id, from an offset on. */
export interface OrphanedLetters {
  readonly key: OffsetKey
  readonly writeId: string
  readonly fromOffset: number
}

/**
 * The ledger table, by SQL: a row for each key that ever was, which says how far the key is, or is at least, and who took it last.
 * All that is given for several keys is one transaction. Keys in results are formatted. RetryableError when the outcome is unknown.
 */
export interface StreamingLedger {
  read(topics: readonly string[]): Promise<readonly LedgerEntry[]>
  /** Makes the keys this process's: whoever took them before moves them in the ledger no more. Gives the rows as they were. */
  take(keys: readonly OffsetKey[], writeId: string): Promise<ReadonlyMap<string, LedgerEntry>>
  /** Remembers that the key's channel, made then, may be ahead. Gives the keys that somebody else has taken since. */
  confirm(
    channels: readonly { readonly key: OffsetKey; readonly createdOnMs: number }[],
    writeId: string
  ): Promise<readonly string[]>
  /** The write ids under which keys are taken now. */
  holders(keys: readonly OffsetKey[]): Promise<ReadonlyMap<string, string>>
  /** Beginnings of keys that are not there. Gives the rows of those that are; nothing is pinned then. */
  pin(moves: readonly Omit<LedgerMove, 'writeId'>[], commitId: string): Promise<readonly LedgerEntry[]>
  /** Gives the keys that somebody else has taken since; nothing is moved then. */
  move(moves: readonly LedgerMove[], commitId: string): Promise<readonly string[]>
  /** Writes down how far channels are that will get no more of this process, unless somebody else has taken them. */
  settle(
    ends: readonly {
      readonly key: OffsetKey
      readonly writeId: string
      readonly next: number | undefined
      readonly createdOnMs: number
    }[]
  ): Promise<void>
  deleteLetters(orphans: readonly OrphanedLetters[]): Promise<void>
  close(): Promise<void>
}
