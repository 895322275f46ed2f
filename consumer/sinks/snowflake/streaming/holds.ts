import { atOnce } from '../../../../lib/at-once.ts'
import { randomId, type Clock } from '../../../../lib/clock.ts'
import { formatKey, type OffsetKey } from '../../offset-key.ts'
import type { OrphanedLetters, StreamingLedger } from './ledger.ts'
import { channelName } from './names.ts'
import { checkRefusals, positionOf, type LedgerEntry, type Memory, type Position } from './position.ts'
import { REQUESTS_AT_ONCE, type ChannelState, type OpenedChannel, type Pipe, type StreamingService } from './service.ts'
import { parseToken } from './token.ts'

/** A channel that we have opened. */
export interface HeldChannel {
  readonly pipe: Pipe
  readonly name: string
  /** For the next append. */
  continuation: string
  /** Rows refused since the channel was made, as of when we opened it. */
  readonly refusedRows: number
  /** Its newest token that we know of. */
  token: string | undefined
}

/** A key that this process has taken: by the ledger and by its channels. */
export interface Hold {
  readonly key: OffsetKey
  readonly writeId: string
  readonly main: HeldChannel
  /** Undefined when the pipeline has no dead-letter table. */
  readonly letters: HeldChannel | undefined
  readonly createdOnMs: number
  /** Columns that the table was known to have when the channel was opened, in upper case. */
  readonly columns: ReadonlySet<string>
  position: Position
  /** Whether everything that was appended is confirmed, or nothing was. */
  isClean: boolean
}

export interface HoldsOptions {
  readonly table: string
  readonly ledgerTable: string
  readonly mainPipe: Pipe
  readonly lettersPipe: Pipe | undefined
  readonly service: StreamingService
  readonly ledger: StreamingLedger
  readonly clock: Clock
}

interface Opened {
  readonly key: OffsetKey
  readonly main: OpenedChannel
  readonly letters: OpenedChannel | undefined
}

/**
 * The keys of one table that this process holds. Taking a key is, in this order: the ledger's row (its write id, so that nobody
 * who took it before moves offsets there any more), the channel of its dead letters, the channel of its rows, and the row once
 * more, which must be ours still. Whoever comes through this last reads the final word on both, and nobody before moves either.
 */
export class Holds {
  readonly #options: HoldsOptions
  readonly #held = new Map<string, Hold>()
  /** Of keys that were held, and whose channels have to be opened anew. */
  readonly #memories = new Map<string, Memory>()

  constructor(options: HoldsOptions) {
    this.#options = options
  }

  get(key: string): Hold | undefined {
    return this.#held.get(key)
  }

  /** The key has to be taken again. Where it is is remembered, unless something may be on its way. */
  drop(key: string): void {
    const hold = this.#held.get(key)
    if (hold === undefined) return
    this.#held.delete(key)
    const { isClean, writeId, position } = hold
    if (!isClean || position.next === undefined) this.#memories.delete(key)
    else this.#memories.set(key, { writeIds: new Set([writeId]), next: position.next })
  }

  /** Forgets keys of which something may be on its way. */
  dropUnclean(): void {
    for (const [key, { isClean }] of this.#held) if (!isClean) this.drop(key)
  }

  /**
   * Gives the keys that somebody else has taken meanwhile; all others are held. FatalError `OffsetsLost` and `RowsRefused`.
   */
  async take(keys: readonly OffsetKey[], columns: ReadonlySet<string>): Promise<readonly string[]> {
    const { ledger, clock } = this.#options
    const writeId = randomId(clock)
    for (const id of keys.map(formatKey)) {
      this.drop(id)
      const memory = this.#memories.get(id)
      // Before it is known to be taken: should the answer be lost, the next taking finds this id.
      if (memory !== undefined) this.#memories.set(id, { ...memory, writeIds: new Set([...memory.writeIds, writeId]) })
    }
    const former = await ledger.take(keys, writeId)
    const opened = await atOnce(REQUESTS_AT_ONCE, keys, async key => await this.#open(key))
    const holds = opened.map(each => {
      const id = formatKey(each.key)
      return this.#hold(each, { writeId, columns, entry: former.get(id), memory: this.#memories.get(id) })
    })
    const lost = new Set(await ledger.confirm(holds, writeId))
    const orphans = opened.flatMap((each, index) => this.#orphansOf(each, holds[index] as Hold, lost))
    // Also before anything is appended: a row of these may be of a record that we shall append.
    if (orphans.length > 0) await ledger.deleteLetters(orphans)
    for (const hold of holds) {
      const id = formatKey(hold.key)
      this.#memories.delete(id)
      if (!lost.has(id)) this.#held.set(id, hold)
    }
    return [...lost]
  }

  /**
   * How far a key is by what ledger and channel say, without taking it. FatalError `OffsetsLost` and `RowsRefused`, but not of
   * an earlier incarnation of its topic, of which nothing is read any more.
   */
  look(entry: LedgerEntry, state: ChannelState | undefined, isNewest: boolean): Position {
    const { table, ledgerTable } = this.#options
    const id = formatKey(entry.key)
    const sight = { table, ledgerTable, key: entry.key, channel: channelName(entry.key), entry, state }
    if (!isNewest) return positionOf({ ...sight, entry: { ...entry, mark: undefined } })
    checkRefusals(sight)
    if (this.#held.get(id)?.writeId !== entry.writeId) this.drop(id)
    const memory = this.#memoryOf(id)
    // Somebody else has taken it since.
    if (memory?.writeIds.has(entry.writeId) !== true) this.#memories.delete(id)
    return positionOf({ ...sight, memory })
  }

  /** Writes the ends of all channels down, so that the ledger knows them when the service has deleted them. */
  async settle(): Promise<void> {
    const ends = [...this.#held.values()].flatMap(({ key, writeId, createdOnMs, isClean, position: { next } }) =>
      isClean ? [{ key, writeId, createdOnMs, next }] : []
    )
    if (ends.length > 0) await this.#options.ledger.settle(ends)
  }

  #memoryOf(id: string): Memory | undefined {
    const hold = this.#held.get(id)
    if (hold?.isClean !== true || hold.position.next === undefined) return this.#memories.get(id)
    return { writeIds: new Set([hold.writeId]), next: hold.position.next }
  }

  async #open(key: OffsetKey): Promise<Opened> {
    const { service, mainPipe, lettersPipe } = this.#options
    const name = channelName(key)
    const letters = lettersPipe === undefined ? undefined : await service.open(lettersPipe, name)
    return { key, letters, main: await service.open(mainPipe, name) }
  }

  #hold(
    { key, main, letters }: Opened,
    found: Pick<Hold, 'writeId' | 'columns'> & {
      readonly entry: LedgerEntry | undefined
      readonly memory: Memory | undefined
    }
  ): Hold {
    const { table, ledgerTable, mainPipe, lettersPipe } = this.#options
    const { writeId, columns, entry, memory } = found
    const channel = channelName(key)
    const sight = { table, ledgerTable, key, channel, entry, state: main.state, memory }
    checkRefusals(sight)
    if (letters !== undefined) checkRefusals({ ...sight, state: letters.state })
    return {
      key,
      writeId,
      main: heldChannel(mainPipe, channel, main),
      letters:
        letters === undefined || lettersPipe === undefined ? undefined : heldChannel(lettersPipe, channel, letters),
      createdOnMs: main.state.createdOnMs ?? 0,
      columns,
      position: positionOf(sight),
      isClean: true
    }
  }

  /** Dead letters of a commit that never was: whoever appended them can complete it no more. */
  #orphansOf({ key, letters }: Opened, { position }: Hold, lost: ReadonlySet<string>): readonly OrphanedLetters[] {
    const token = parseToken(letters?.state.token, channelName(key))
    const fromOffset = position.next ?? 0
    if (token === undefined || token.next <= fromOffset || token.writeId === '' || lost.has(formatKey(key))) return []
    return [{ key, writeId: token.writeId, fromOffset }]
  }
}

const heldChannel = (pipe: Pipe, name: string, { continuation, state }: OpenedChannel): HeldChannel => ({
  pipe,
  name,
  continuation,
  refusedRows: state.refusedRows,
  token: state.token
})
