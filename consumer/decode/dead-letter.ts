import type { RecordCursor } from '../record-batch.ts'
import type { HeaderIndex } from './header-index.ts'

/** Why a record cannot be a row; shown in tables, metrics and alerts, so names are never changed. */
export type DeadLetterReason =
  | 'InvalidUtf8'
  | 'InvalidJson'
  | 'NotAnObject'
  | 'DuplicateKey'
  | 'NotFramed'
  | 'UnknownSchema'
  | 'InvalidAvro'
  | 'InvalidProtobuf'
  | 'UnsupportedSchema'
  | 'IncompatibleSchema'
  | 'WrongType'
  | 'MissingColumn'
  | 'RecordTooLarge'
  | 'CorruptBatch'

/** Where it was noticed: before records could be told apart, while one was checked, while columns were lifted from it. */
export type DeadLetterStage = 'Decompress' | 'Parse' | 'Lift'

/** What is wrong with a record. The message names places and kinds; it never repeats the record's content. */
export interface Poison {
  readonly reason: DeadLetterReason
  readonly stage: DeadLetterStage
  readonly message: string
}

export const poison = (stage: DeadLetterStage, reason: DeadLetterReason, message: string): Poison => ({
  stage,
  reason,
  message
})

/** One dead letter for policy Topic, with memory of its own. */
export interface DeadLetterRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Above `offset` when it stands for a batch whose records cannot be told apart. */
  readonly lastOffset: number
  /** Milliseconds since the epoch; undefined when the record has none. */
  readonly timestampMs: number | undefined
  readonly key: Buffer | null
  /** The record's value, or the whole batch, as it came. */
  readonly value: Buffer | null
  readonly headers: readonly (readonly [key: string, value: Buffer | null])[]
  /** `topic-partition-offset`, the same however often it is sent. */
  readonly ingestionId: string
  readonly failedAtMs: number
  readonly reason: DeadLetterReason
  readonly stage: DeadLetterStage
  readonly error: string
}

/** A record, or a batch in the guise of one, that cannot be a row; its bytes are the cursor's. */
export interface DeadLetter {
  readonly cursor: RecordCursor
  readonly headers: HeaderIndex
  readonly lastOffset: number
  readonly poison: Poison
}
