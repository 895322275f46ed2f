import type { Clock } from '../../../lib/clock.ts'
import { FatalError, RetryableError, invariant } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { TableSchema } from '../../columns/schema.ts'
import { TROUBLE_BACKOFF, backOff, rethrowUnlessRetryable, untilDone } from '../attempts.ts'
import { s3Access } from './access.ts'
import { tableName, type Catalog, type LoadedTable, type TableName } from './catalog/catalog.ts'
import type { TableChange } from './commit.ts'
import { createRequest } from './create.ts'
import { damaged, readable } from './damage.ts'
import { decodeManifestList, type ManifestFile } from './manifest-list.ts'
import { planEvolution } from './evolution.ts'
import type { Snapshot, TableMetadata } from './metadata.ts'
import { findCommit } from './offsets.ts'
import { parseMetadata } from './parse-metadata.ts'
import { checkSpec } from './partition-spec.ts'
import { TableFiles, type OpenStore } from './stores.ts'
import { checkWritable } from './writable.ts'

export interface IcebergTableOptions {
  readonly catalog: Catalog
  readonly openStore: OpenStore
  readonly name: string
  /** Undefined: the table is taken as it is, never created. */
  readonly schema: TableSchema | undefined
  /** Of a table that is created; the catalog chooses when undefined. */
  readonly location: string | undefined
  readonly formatVersion: 2 | 3
  readonly clock: Clock
  readonly log: Log
  readonly commitAttempts: number
}

/** A change that is ready to be sent. */
export interface Prepared {
  readonly change: TableChange
  /** Files written for this attempt alone: of no use when it is known to have failed. */
  readonly attemptFiles: readonly string[]
}

/** What to do on the newest state: make a change, or leave it with a result. */
export type Decision<T> = { readonly write: () => Promise<Prepared> } | { readonly stop: T }

export type Outcome<T> = { readonly snapshot: Snapshot } | { readonly stop: T }

/** Sends a change; the table itself by default. */
export type SendChange = (change: TableChange) => ReturnType<Catalog['commitTable']>

/**
 * One Iceberg table and its newest known metadata. Every change names the snapshot it was decided on; only one call may be
 * under way at a time.
 */
export class IcebergTable {
  readonly name: string
  readonly id: TableName
  readonly files: TableFiles
  readonly #options: IcebergTableOptions
  #metadata: TableMetadata | undefined
  #loaded: LoadedTable | undefined
  /** The one written last. */
  #list: { readonly path: string; readonly bytes: Buffer } | undefined

  constructor(options: IcebergTableOptions) {
    this.#options = options
    this.name = options.name
    this.id = tableName(options.name)
    this.files = new TableFiles(async root => await this.#openStore(root))
  }

  /** The newest state seen. */
  get metadata(): TableMetadata {
    invariant(this.#metadata !== undefined, `Iceberg table ${this.name} is open`)
    return this.#metadata
  }

  /** Creates the table or checks the one that is there, and adds columns it lacks. Many processes may do so at once. */
  async open(): Promise<void> {
    const { schema, catalog, commitAttempts, location, formatVersion } = this.#options
    let isNamespaceMade = false
    for (let attempt = 1; this.#metadata === undefined; attempt++) {
      if (await this.#load()) break
      if (schema === undefined) throw dropped(this.name)
      if (attempt > commitAttempts)
        throw new RetryableError('TableNotCreated', `Iceberg table ${this.name} could not be created`)
      if (attempt > 1) await backOff(this.#options.clock, attempt, TROUBLE_BACKOFF)
      // A catalog may answer 500 to all but the first of many who create it at once: ask again.
      isNamespaceMade ||= await this.#makeNamespace()
      if (!isNamespaceMade) continue
      const request = createRequest({ name: this.id.name, schema, location, formatVersion, table: this.name })
      const created = await catalog.createTable(this.id, request).catch(rethrowUnlessRetryable)
      // Created by another process, or perhaps not at all: the next load tells.
      if (created !== undefined && created !== 'exists') this.#take(created)
    }
    if (schema === undefined) return
    await this.#evolve(schema, reason => {
      throw new FatalError(
        'IncompatibleTable',
        `${reason}. Name another table in spec.topics[].table, or other names in columns or metadataColumns.`
      )
    })
  }

  async #makeNamespace(): Promise<boolean> {
    const made = this.#options.catalog.createNamespace(this.id.namespace).then(() => true)
    return (await made.catch(rethrowUnlessRetryable)) ?? false
  }

  /** Reads the newest metadata and checks that the table is still one we can write. */
  async refresh(): Promise<TableMetadata> {
    if (!(await this.#load())) throw dropped(this.name)
    return this.metadata
  }

  /**
   * Sees to it that the table has these columns. RetryableError `SchemaMoved` when it has got one meanwhile that cannot take
   * ours.
   */
  async evolve(wanted: TableSchema): Promise<void> {
    await this.#evolve(wanted, reason => {
      throw new RetryableError('SchemaMoved', reason)
    })
  }

  async #evolve(wanted: TableSchema, onMoved: (reason: string) => never): Promise<void> {
    const outcome = await this.#committing('a change of the schema', async attempt => {
      if (attempt > 1) await this.refresh()
      const plan = planEvolution(this.metadata, wanted, this.name)
      if (plan.status === 'current') return true
      if (plan.status === 'moved') onMoved(plan.reason)
      const answer = await this.#options.catalog.commitTable(this.id, plan.change)
      if (answer === 'gone') throw dropped(this.name)
      if (answer === 'conflict') return undefined
      this.#see(answer.metadata)
      return true
    })
    invariant(outcome, 'the schema is as wanted')
  }

  /**
   * Makes one change, rebased over those of others until it is in or `decide` stops it. `commitIds` are in the snapshot's
   * summary: by them our own is known again after a lost answer. Throws RetryableError when the outcome stays unknown: then
   * nothing that the change names may be deleted.
   */
  async transact<T>(
    commitIds: readonly string[],
    decide: (metadata: TableMetadata) => Decision<T>,
    send: SendChange = async change => await this.#options.catalog.commitTable(this.id, change)
  ): Promise<Outcome<T>> {
    let refused: readonly string[] = []
    return await this.#committing<Outcome<T>>('a commit', async attempt => {
      if (attempt > 1) {
        await this.refresh()
        const ours = this.#ownSnapshot(commitIds)
        if (ours !== undefined) return { snapshot: ours }
        // Refused by the catalog and not in the table: nothing names them.
        await this.#discard(refused)
        refused = []
      }
      const decision = decide(this.metadata)
      // What was seen last may be old: nothing but a change proves that it was not.
      if ('stop' in decision) return attempt === 1 ? undefined : decision
      const { change, attemptFiles } = await decision.write()
      const answer = await send(change)
      if (answer === 'gone') throw dropped(this.name)
      if (answer === 'conflict') {
        refused = attemptFiles
        return undefined
      }
      this.#see(answer.metadata)
      const snapshot = this.#ownSnapshot(commitIds)
      // A catalog that says yes and does nothing is looked at again.
      return snapshot === undefined ? undefined : { snapshot }
    })
  }

  /** The manifests of a snapshot, newest first. */
  async manifestsOf(snapshot: Snapshot | undefined): Promise<readonly ManifestFile[]> {
    if (snapshot === undefined) return []
    const { manifestList } = snapshot
    const known = this.#list?.path === manifestList ? this.#list.bytes : undefined
    const bytes = known ?? (await this.files.get(manifestList))
    if (bytes === undefined) throw damaged(this.name, manifestList, 'is gone from the store')
    return readable(this.name, manifestList, () => decodeManifestList(bytes))
  }

  /** Uploads a manifest list; if its snapshot becomes the parent of the next one it need not be read again. */
  async putManifestList(path: string, bytes: Buffer): Promise<void> {
    await this.files.put(path, [bytes])
    this.#list = { path, bytes }
  }

  async #committing<T>(what: string, attempt: (count: number) => Promise<T | undefined>): Promise<T> {
    return await untilDone({ ...this.#options, title: `Iceberg table ${this.name}` }, what, attempt)
  }

  #ownSnapshot(commitIds: readonly string[]): Snapshot | undefined {
    const found = findCommit(this.metadata, commitIds)
    if (found.status === 'rolledBack')
      throw new RetryableError('CommitRolledBack', `a commit to Iceberg table ${this.name} was rolled back at once`)
    return found.status === 'in' ? found.snapshot : undefined
  }

  async #load(): Promise<boolean> {
    const loaded = await this.#options.catalog.loadTable(this.id)
    if (loaded === undefined) return false
    this.#take(loaded)
    return true
  }

  #take(loaded: LoadedTable): void {
    this.#see(loaded.metadata)
    this.#loaded = loaded
  }

  /** Takes newer metadata, if the table is one that we can write on. */
  #see(json: unknown): void {
    const metadata = parseMetadata(json, this.name)
    if (this.#metadata !== undefined && this.#metadata.tableUuid !== metadata.tableUuid) throw replaced(this.name)
    checkWritable(metadata, this.name)
    const { schema } = this.#options
    if (schema !== undefined) checkSpec(metadata, schema.partitionFields ?? [], this.name)
    this.#metadata = metadata
  }

  async #openStore(root: string) {
    const { location } = this.metadata
    const within = location.startsWith(root) ? location : `${root}/`
    const accessNow = () => {
      invariant(this.#loaded !== undefined, 'the table is open before its files are')
      return s3Access(this.#loaded, within)
    }
    // Only credentials are taken: a commit that is under way goes on from the metadata that it has.
    const renew = async () => {
      this.#loaded = (await this.#options.catalog.loadTable(this.id)) ?? this.#loaded
      return accessNow()
    }
    return await this.#options.openStore(root, { now: accessNow(), renew })
  }

  async #discard(files: readonly string[]): Promise<void> {
    for (const file of files) {
      await this.files.delete(file).catch((error: unknown) => {
        this.#options.log.debug('a file of no use could not be deleted', { file, error: String(error) })
      })
    }
  }
}

const dropped = (name: string): FatalError =>
  new FatalError(
    'TableDropped',
    `Iceberg table ${name} is not in the catalog. If it was dropped on purpose restart the consumers: they create it anew and begin at startFrom.`
  )

const replaced = (name: string): FatalError =>
  new FatalError(
    'TableReplaced',
    `Iceberg table ${name} is not the one this consumer opened: it was dropped and created again. Restart the consumers to go on from what it holds.`
  )
