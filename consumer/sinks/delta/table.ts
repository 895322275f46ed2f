import { randomId, type Clock } from '../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { Field, TableSchema } from '../../columns/schema.ts'
import type { TableColumn } from '../../sink.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { TROUBLE_BACKOFF, backOff, rethrowUnlessRetryable, untilDone } from '../attempts.ts'
import { ENGINE, type Action } from './actions.ts'
import { evolutionActions, tableColumns } from './evolution.ts'
import { checkpointPath, entryPath, formatEntry } from './log.ts'
import { loadSnapshot, readEntries, readEntry, type LogEntry } from './load.ts'
import { OUR_PROTOCOL, checkFeatures, checkPartitioning } from './protocol.ts'
import { deltaSchema, formatSchema, missingFields, parseSchema, type DeltaField, type DeltaSchema } from './schema.ts'
import { applyEntry, isRolledBack, type Snapshot } from './snapshot.ts'

/** A snapshot older than this may lie before the end of a log that was cleaned since: an old number is free again. */
const FRESH_MS = 10 * 60_000
export interface DeltaTableOptions {
  /** Rooted at the table. */
  readonly store: ObjectStore
  readonly name: string
  /** Undefined: the table is taken as it is, never created. */
  readonly schema: TableSchema | undefined
  /** Whether rows bring further columns; those that are required and not ours then become optional. */
  readonly growsColumns: boolean
  readonly clock: Clock
  readonly log: Log
  readonly commitAttempts: number
  /** Called after each entry that this process wrote; must not throw. */
  readonly onCommit: (snapshot: Snapshot) => void
}

/** What to do on the newest state: write these actions as the next version, or leave it with a result. */
export type Decision<T> = { readonly write: readonly Action[] } | { readonly stop: T }

export type Outcome<T> = { readonly version: number } | { readonly stop: T }

/**
 * One Delta table and its newest known state. Every change is a put-if-absent of the next log entry, decided on the state
 * just before it; only one call may be under way at a time.
 */
export class DeltaTable {
  readonly name: string
  readonly store: ObjectStore
  readonly #options: DeltaTableOptions
  #snapshot: Snapshot | undefined
  #existing: DeltaSchema = { type: 'struct', fields: [] }
  /** Columns of ours that the table lacks. */
  #missing: readonly DeltaField[] = []
  /** When `#snapshot` was last known to be the newest. */
  #seenAtMs = 0

  constructor(options: DeltaTableOptions) {
    this.#options = options
    this.name = options.name
    this.store = options.store
  }

  /** The newest state seen; undefined before `open`. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** As of the newest state seen. */
  get columns(): readonly TableColumn[] {
    return tableColumns(this.#existing)
  }

  /** Creates the table or checks the one that is there, and adds columns it lacks. Many processes may do so at once. */
  async open(): Promise<void> {
    const { schema, commitAttempts } = this.#options
    for (let attempt = 1; this.#snapshot === undefined; attempt++) {
      if (await this.#load()) break
      if (schema === undefined) throw dropped(this.name, this.store.location)
      if (attempt > commitAttempts)
        throw new RetryableError('TableNotCreated', `Delta table ${this.name} could not be created`)
      // Created here, by another process, or perhaps not at all: the next load tells.
      await this.store
        .putIfAbsent(entryPath(0), [formatEntry(this.#firstActions(schema))])
        .catch(rethrowUnlessRetryable)
      if (attempt > 1) await backOff(this.#options.clock, attempt, TROUBLE_BACKOFF)
    }
    await this.transact([`open-${randomId(this.#options.clock)}`], () => ({ stop: undefined }))
  }

  /** Reads what is new in the log and checks that the table is still one we can write. */
  async refresh(): Promise<Snapshot> {
    await this.#advance()
    return this.#current()
  }

  async entry(version: number): Promise<LogEntry | undefined> {
    return await readEntry(this.store, version)
  }

  /**
   * Writes one entry, rebased over those of others until it is in or `decide` stops it. `commitIds` are in the entry's
   * commitInfo: by them our own entry is known again after a lost answer. Throws RetryableError when the outcome stays
   * unknown: then nothing that the entry names may be deleted. `columns` are the fields of each schema that its rows have beside
   * the table's own: those the table lacks come with the entry; `SchemaMoved` when it cannot take one.
   */
  async transact<T>(
    commitIds: readonly string[],
    decide: (snapshot: Snapshot, version: number) => Decision<T>,
    columns: readonly (readonly Field[])[] = []
  ): Promise<Outcome<T>> {
    const ids = new Set(commitIds)
    let mayBeIn: number | undefined
    return await untilDone<Outcome<T>>(
      { ...this.#options, title: `Delta table ${this.name}` },
      'a commit',
      async attempt => {
        const isFirst = attempt === 1 && this.#isFresh()
        if (isFirst) await this.#verify()
        const ours = isFirst ? undefined : await this.#findOurs(ids, mayBeIn)
        if (ours !== undefined) return { version: ours }
        const snapshot = this.#current()
        const version = snapshot.version + 1
        const decision = decide(snapshot, version)
        const added = 'stop' in decision ? [] : columns
        const evolution = evolutionActions(snapshot, this.#existing, this.#missing, added, this.name)
        if ('stop' in decision && evolution.length === 0) return decision
        const actions =
          'stop' in decision ? [this.#info('ADD COLUMNS'), ...evolution] : [...decision.write, ...evolution]
        // This process may have been stopped in the middle: hours later the number may be free again.
        if (!this.#isFresh()) return undefined
        mayBeIn = version
        if ((await this.store.putIfAbsent(entryPath(version), [formatEntry(actions)])) !== 'created') return undefined
        this.#see(applyEntry(snapshot, version, actions))
        this.#options.onCommit(this.#current())
        return 'stop' in decision ? decision : { version }
      }
    )
  }

  /** Whether the state is known to be recent enough that the next number cannot be a reused one. */
  #isFresh(): boolean {
    return this.#snapshot !== undefined && this.#options.clock.now() - this.#seenAtMs < FRESH_MS
  }

  /** Our own entry among those that came since, or at the version where an earlier attempt may have taken effect. */
  async #findOurs(ids: ReadonlySet<string>, mayBeIn: number | undefined): Promise<number | undefined> {
    const isOurs = ({ actions }: LogEntry) =>
      actions.some(({ commitInfo }) => commitInfo?.bronze?.commitIds?.some(id => ids.has(id)) ?? false)
    const passed = await this.#advance()
    const found = passed?.find(isOurs)
    if (found !== undefined) return found.version
    if (passed !== undefined || mayBeIn === undefined || mayBeIn > this.#current().version) return undefined
    // The state was loaded anew, past the entries in between: look at the one that may be ours.
    const entry = await this.entry(mayBeIn)
    if (entry === undefined)
      throw new RetryableError('CommitOutcomeUnknown', `version ${mayBeIn} of ${this.name} is gone from the log`)
    return isOurs(entry) ? mayBeIn : undefined
  }

  /** The entries that came since, in order; undefined when the state had to be loaded anew. */
  async #advance(): Promise<readonly LogEntry[] | undefined> {
    if (!this.#isFresh()) {
      await this.#reload()
      return undefined
    }
    const before = this.#current()
    const passed: LogEntry[] = []
    let after = before
    for await (const entry of readEntries(this.store, before.version + 1)) {
      passed.push(entry)
      after = applyEntry(after, entry.version, entry.actions)
    }
    if (passed.length === 0) return (await this.#verify()) === 'alive' ? passed : undefined
    this.#see(after)
    return passed
  }

  /** A log whose newest entry is gone was dropped, or cleaned past us. */
  async #verify(): Promise<'alive' | 'loaded anew'> {
    const { version } = this.#current()
    for (const path of [entryPath(version), checkpointPath(version)]) {
      if ((await this.store.size(path)) === undefined) continue
      this.#seenAtMs = this.#options.clock.now()
      return 'alive'
    }
    await this.#reload()
    return 'loaded anew'
  }

  async #reload(): Promise<void> {
    if (!(await this.#load())) throw dropped(this.name, this.store.location)
  }

  async #load(): Promise<boolean> {
    const startedMs = this.#options.clock.now()
    const snapshot = await loadSnapshot(this.store, this.name)
    if (snapshot === undefined) return false
    if (snapshot.version < (this.#snapshot?.version ?? 0)) throw replaced(this.name)
    this.#see(snapshot)
    this.#seenAtMs = startedMs
    return true
  }

  /** Takes a newer state, if it is one that we can write on. */
  #see(snapshot: Snapshot): void {
    const before = this.#snapshot
    const { metadata, protocol } = snapshot
    if (before !== undefined && before.metadata.id !== metadata.id) throw replaced(this.name)
    if (before?.metadata !== metadata || before.protocol !== protocol) {
      const existing = parseSchema(metadata, this.name)
      checkFeatures(protocol, metadata, existing, this.name)
      const { schema, growsColumns } = this.#options
      if (schema !== undefined) {
        checkPartitioning(metadata, schema.partitionBy, this.name)
        this.#missing = missingFields(existing, deltaSchema(schema, this.name), this.name, growsColumns)
      }
      this.#existing = existing
    }
    if (isRolledBack(snapshot)) throw rolledBack(this.name, snapshot)
    this.#snapshot = snapshot
    this.#seenAtMs = this.#options.clock.now()
  }

  #current(): Snapshot {
    if (this.#snapshot === undefined) throw new Error(`broken invariant: Delta table ${this.name} is open`)
    return this.#snapshot
  }

  #firstActions(schema: TableSchema): readonly Action[] {
    const { clock } = this.#options
    const id = randomId(clock).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    const schemaString = formatSchema(deltaSchema(schema, this.name))
    const metaData = {
      id,
      name: this.name,
      format: { provider: 'parquet', options: {} },
      schemaString,
      partitionColumns: schema.partitionBy,
      configuration: {},
      createdTime: clock.now()
    }
    return [this.#info('CREATE TABLE'), { protocol: OUR_PROTOCOL }, { metaData }]
  }

  #info(operation: string): Action {
    const timestamp = this.#options.clock.now()
    return { commitInfo: { timestamp, operation, operationParameters: {}, isBlindAppend: true, engineInfo: ENGINE } }
  }
}

const dropped = (name: string, location: string): FatalError =>
  new FatalError(
    'TableDropped',
    `Delta table ${name} has no log at ${location}. If it was dropped on purpose restart the consumers: they create it anew and begin at startFrom.`
  )

const replaced = (name: string): FatalError =>
  new FatalError(
    'TableReplaced',
    `Delta table ${name} is not the one this consumer opened: its log was replaced. Restart the consumers to go on from what it holds.`
  )

const rolledBack = (name: string, { ourVersion, restores }: Snapshot): FatalError =>
  new FatalError(
    'RolledBack',
    `Delta table ${name} was restored (version ${restores.at(-1)?.version}) to before our last commit (version ${ourVersion}): ` +
      'rows are gone whose offsets it still holds. ' +
      `RESTORE it to version ${ourVersion} or later, or name another table in spec.topics[].table to ingest from startFrom again.`
  )
