import { FatalError } from '../../../../lib/errors.ts'
import type { OffsetKey } from '../../offset-key.ts'
import type { CommitAuthor } from '../../../sink.ts'
import type { Mark } from './mark.ts'
import type { ChannelState } from './service.ts'
import { parseToken, type OffsetToken } from './token.ts'

/** A row of the ledger table. */
export interface LedgerEntry {
  readonly key: OffsetKey
  /** Undefined: the key was taken, and nothing of it is in the table yet. */
  readonly nextOffset: number | undefined
  readonly writeId: string
  readonly mark: Mark
  readonly author: CommitAuthor | undefined
  readonly updatedMs: number
}

/** How far a key is, and who brought it there. */
export interface Position {
  readonly next: number | undefined
  readonly by: CommitAuthor | undefined
  /** Of the channel, when that is what counts. */
  readonly token: OffsetToken | undefined
}

/** How far a key was when this process last had everything confirmed, and the ids under which it has taken it since. */
export interface Memory {
  readonly writeIds: ReadonlySet<string>
  readonly next: number
}

export interface Sight {
  /** Of the bronze table, for messages. */
  readonly table: string
  readonly ledgerTable: string
  readonly key: OffsetKey
  readonly channel: string
  readonly entry: LedgerEntry | undefined
  /** Undefined: the channel is not there. */
  readonly state: ChannelState | undefined
  readonly memory?: Memory | undefined
}

/**
 * The further of channel and ledger: offsets that move without rows are in the ledger, all others in the token. FatalError
 * `OffsetsLost` when the channel is gone and its token with it (a channel without rows for 30 days is deleted:
 * snowpipe-streaming-channels), unless the ledger, or this process, knows where it ended.
 */
export function positionOf(sight: Sight): Position {
  const { entry, state, channel, memory } = sight
  const token = parseToken(state?.token, channel)
  const known = entry?.nextOffset
  if (token === undefined && entry?.mark !== undefined && !entry.mark.isSettled && isAnother(entry.mark, state)) {
    if (memory?.writeIds.has(entry.writeId) !== true) throw lost(sight)
    return { next: Math.max(memory.next, known ?? 0), by: entry.author, token: undefined }
  }
  if (token !== undefined && token.next >= (known ?? 0)) return { next: token.next, by: token.author, token }
  return { next: known, by: entry?.author, token: undefined }
}

/** Whether the channel is not the one that the ledger speaks of. One that does not tell its age is taken to be. */
function isAnother(mark: NonNullable<Mark>, state: ChannelState | undefined): boolean {
  if (state === undefined) return true
  return state.createdOnMs !== undefined && state.createdOnMs !== mark.createdOnMs
}

function lost({ table, ledgerTable, key, channel, entry }: Sight): FatalError {
  const { topic, partition } = key
  return new FatalError(
    'OffsetsLost',
    `Snowflake has deleted channel ${channel} of table ${table}, as it does after 30 days without rows, and with it how far partition ` +
      `${partition} of topic ${topic} is: at least ${entry?.nextOffset ?? 'the beginning'}. Find the last offset that is in the table or its dead ` +
      `letters, and UPDATE ${ledgerTable} SET NEXT_OFFSET = <the offset after it>, COMMIT_ID = '/' WHERE ${whereKey(key)}.`
  )
}

/**
 * FatalError `RowsRefused` when the channel refused rows that nobody has accounted for: the token is past them, and they are
 * in no table. A person accounts for them by setting the ledger's NEXT_OFFSET to where they end.
 */
export function checkRefusals({ table, ledgerTable, key, channel, entry, state }: Sight): void {
  if (state === undefined || state.refusedRows === 0) return
  const upTo = parseToken(state.refusedUpTo, channel)?.next
  if (upTo !== undefined && entry?.nextOffset !== undefined && entry.nextOffset >= upTo) return
  const where = upTo === undefined ? '' : ` below offset ${upTo}`
  throw new FatalError(
    'RowsRefused',
    `Snowflake refused ${state.refusedRows} rows${where} of partition ${key.partition} of topic ${key.topic} for table ${table} (channel ${channel}): ` +
      `${firstWords(state.refusal)}. They are in no table: see SNOWPIPE_STREAMING_CHANNEL_HISTORY and the table's error logging, put them in, then ` +
      `UPDATE ${ledgerTable} SET NEXT_OFFSET = ${upTo ?? '<the offset after them>'} WHERE ${whereKey(key)}.`
  )
}

const whereKey = ({ topic, topicId, partition, epoch }: OffsetKey): string =>
  `TOPIC = '${topic}' AND TOPIC_ID = '${topicId}' AND PARTITION_ID = ${partition} AND EPOCH = ${epoch}`

/** The service says that it redacts values; what stands in quotes is left out all the same. */
function firstWords(message: string | undefined): string {
  const text = (message ?? 'it does not say why').replaceAll(/\s+/g, ' ').replaceAll(/'[^']*'|"[^"]*"/g, '…')
  return text.slice(0, 200).replace(/[.\s]+$/, '')
}

/** What a commit wants of one key. */
export interface Wanted {
  readonly expected: number | undefined
  readonly next: number
}

/**
 * go: append. done: it is all in already (an earlier attempt of this commit). partly: some of it is, and the rest must be read
 * again. fenced: somebody else moved the key.
 */
export type Decision = 'go' | 'done' | 'partly' | 'fenced'

/** `attempts` are the write ids under which this commit has appended before. */
export function decide({ expected, next }: Wanted, found: Position, attempts: ReadonlySet<string>): Decision {
  if (found.token !== undefined && attempts.has(found.token.writeId)) {
    if (found.token.next === next) return 'done'
    // Also when a ledger that was moved on by hand says more: whatever that is, it is not ours to guess.
    if (found.next !== expected) return 'partly'
  }
  return found.next === expected ? 'go' : 'fenced'
}
