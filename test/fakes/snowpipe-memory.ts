import { FatalError, RetryableError } from '../../lib/errors.ts'
import type { Field } from '../../consumer/columns/schema.ts'
import type { CommitAuthor, TableColumn } from '../../consumer/sink.ts'
import { formatKey, type OffsetKey } from '../../consumer/sinks/offset-key.ts'
import { tableObjects, type TableObjects } from '../../consumer/sinks/snowflake/sql/objects.ts'
import type { LedgerMove, OrphanedLetters, StreamingLedger } from '../../consumer/sinks/snowflake/streaming/ledger.ts'
import { memberName } from '../../consumer/sinks/snowflake/streaming/staged.ts'
import type { LedgerEntry } from '../../consumer/sinks/snowflake/streaming/position.ts'
import type { StreamingTables } from '../../consumer/sinks/snowflake/streaming/sink.ts'
import type { TablePlan } from '../../consumer/columns/bronze.ts'
import type { Fault, Operation } from './faulty-store.ts'
import type { SnowpipeState } from './snowpipe-state.ts'

/** What SQL keeps for one bronze table: its ledger and its columns. Each call is one transaction. */
export class SqlMemory {
  readonly ledger = new Map<string, LedgerEntry>()
  readonly columns = new Map<string, Pick<Field, 'name' | 'type' | 'isJson'>>()
  /** Offsets that moved by the ledger alone, in the order in which they did. */
  readonly moves: Omit<LedgerMove, 'writeId'>[] = []
  readonly objects: TableObjects
  readonly state: SnowpipeState

  constructor(state: SnowpipeState, plan: TablePlan) {
    this.state = state
    this.objects = tableObjects({ database: 'LAKE', schema: 'BRONZE' }, plan.table, plan.deadLetterTable)
  }
}

export type Trouble = (operation: Operation) => Fault | undefined

/** Runs an effect, or what trouble makes of it. */
export type Run = <T>(operation: Operation, effect: () => T) => Promise<T>

/** One process's view of the ledger. */
export class MemoryLedger implements StreamingLedger {
  readonly #memory: SqlMemory
  readonly #author: CommitAuthor
  readonly #run: Run

  constructor(memory: SqlMemory, author: CommitAuthor, run: Run) {
    this.#memory = memory
    this.#author = author
    this.#run = run
  }

  async read(topics: readonly string[]): Promise<readonly LedgerEntry[]> {
    const entries = this.#memory.ledger
    return await this.#run(operation('read'), () =>
      [...entries.values()].filter(({ key }) => topics.includes(key.topic))
    )
  }

  async take(keys: readonly OffsetKey[], writeId: string): Promise<ReadonlyMap<string, LedgerEntry>> {
    return await this.#run(operation('take'), () => {
      const former = this.#entries(keys)
      for (const key of keys) {
        const entry = former.get(formatKey(key)) ?? this.#fresh(key)
        this.#set({ ...entry, writeId, author: this.#author })
      }
      return former
    })
  }

  async confirm(
    channels: readonly { readonly key: OffsetKey; readonly createdOnMs: number }[],
    writeId: string
  ): Promise<readonly string[]> {
    return await this.#run(operation('confirm'), () => {
      const lost: string[] = []
      for (const { key, createdOnMs } of channels) {
        const entry = this.#memory.ledger.get(formatKey(key))
        if (entry?.writeId === writeId) this.#set({ ...entry, mark: { createdOnMs, isSettled: false } })
        else lost.push(formatKey(key))
      }
      return lost
    })
  }

  async holders(keys: readonly OffsetKey[]): Promise<ReadonlyMap<string, string>> {
    return await this.#run(
      operation('holders'),
      () => new Map([...this.#entries(keys)].map(([key, { writeId }]) => [key, writeId]))
    )
  }

  async pin(moves: readonly Omit<LedgerMove, 'writeId'>[]): Promise<readonly LedgerEntry[]> {
    return await this.#run(operation('pin'), () => {
      const there = this.#entries(moves.map(({ key }) => key))
      if (there.size > 0) return [...there.values()]
      for (const { key, next } of moves) this.#set({ ...this.#fresh(key), nextOffset: next, author: this.#author })
      this.#memory.moves.push(...moves)
      return []
    })
  }

  async move(moves: readonly LedgerMove[]): Promise<readonly string[]> {
    return await this.#run(operation('move'), () => {
      const held = ({ key, writeId }: LedgerMove) => this.#memory.ledger.get(formatKey(key))?.writeId === writeId
      const lost = moves.filter(move => !held(move))
      if (lost.length > 0) return lost.map(({ key }) => formatKey(key))
      for (const { key, next } of moves) {
        const entry = this.#memory.ledger.get(formatKey(key)) ?? this.#fresh(key)
        this.#set({ ...entry, nextOffset: next, author: this.#author })
      }
      this.#memory.moves.push(...moves)
      return []
    })
  }

  async settle(ends: Parameters<StreamingLedger['settle']>[0]): Promise<void> {
    await this.#run(operation('settle'), () => {
      for (const { key, writeId, next, createdOnMs } of ends) {
        const entry = this.#memory.ledger.get(formatKey(key))
        if (entry?.writeId !== writeId) continue
        const nextOffset = Math.max(entry.nextOffset ?? -1, next ?? -1)
        const mark = { createdOnMs, isSettled: true }
        this.#set({ ...entry, mark, nextOffset: nextOffset < 0 ? undefined : nextOffset })
      }
    })
  }

  async deleteLetters(orphans: readonly OrphanedLetters[]): Promise<void> {
    await this.#run(operation('deleteLetters'), () => {
      const { deadLetterTable = '' } = this.#memory.objects
      const table = this.#memory.state.table(deadLetterTable)
      table.rows = table.rows.filter(row => {
        const { write_id: id, topic, partition, offset } = row['KAFKA_METADATA'] as Record<string, unknown>
        const isOrphan = ({ key, writeId, fromOffset }: OrphanedLetters) =>
          id === writeId && topic === key.topic && partition === key.partition && Number(offset) >= fromOffset
        return !orphans.some(isOrphan)
      })
    })
  }

  async close(): Promise<void> {}

  #entries(keys: readonly OffsetKey[]): Map<string, LedgerEntry> {
    return new Map(
      keys.flatMap(key => {
        const entry = this.#memory.ledger.get(formatKey(key))
        return entry === undefined ? [] : [[formatKey(key), entry]]
      })
    )
  }

  #fresh(key: OffsetKey): LedgerEntry {
    return {
      key,
      nextOffset: undefined,
      writeId: '',
      mark: undefined,
      author: undefined,
      updatedMs: this.#memory.ledger.size
    }
  }

  #set(entry: LedgerEntry): void {
    this.#memory.ledger.set(formatKey(entry.key), entry)
  }
}

/** One process's view of the table's columns. */
export function memoryTables(memory: SqlMemory, plan: TablePlan, run: Run): StreamingTables {
  const { objects, columns, state } = memory
  const add = (fields: readonly Field[], refused: (name: string) => Error) => {
    for (const field of fields) {
      const name = memberName(field)
      if (name === undefined) continue
      const known = columns.get(name)
      if (known !== undefined && JSON.stringify(known.type) !== JSON.stringify(field.type)) throw refused(name)
      columns.set(name, field)
      state.table(objects.table).columns.add(name)
    }
  }
  return {
    objects,
    open: async () => {
      const letters = state.table(objects.deadLetterTable ?? 'NONE').columns
      for (const name of ['FAILED_AT', 'ERROR_MESSAGE', 'RAW_PAYLOAD', 'KAFKA_METADATA']) letters.add(name)
      add(plan.schema.fields, name => new FatalError('IncompatibleTable', `${name} is of another type`))
    },
    refresh: async () =>
      await run(operation('refresh'), () =>
        [...columns.values()].map(({ name, type, isJson }): TableColumn => ({
          name,
          type,
          nullable: true,
          ...(isJson && { isJson })
        }))
      ),
    addFields: async fields => add(fields, name => new RetryableError('SchemaMoved', `${name} is of another type`))
  }
}

const operation = (kind: Operation['kind']): Operation => ({ kind, path: 'ledger' })
