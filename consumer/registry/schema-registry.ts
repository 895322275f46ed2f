import type { SchemaRegistryOptions } from '../../crds/settled.ts'
import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import type { Pending } from '../decode/value-reader.ts'
import { registryGet, type Get } from './get.ts'
import { loadSchema, loadVersions, type LoadedSchema } from './load-schema.ts'

/** Schemas by the ids in front of values, with Confluent's API. Shared by all readers of a process. */
export interface SchemaRegistry {
  /** What is known of an id. When nothing is, it is asked for, once for all who ask. */
  lookUp(id: number): Found | Pending | undefined
  /** Ends what is under way; what is pending then becomes ready. */
  close(): void
}

/** A schema never changes under its id. */
export interface Found extends LoadedSchema {
  readonly id: number
  /** The version in a subject, as far as the registry tells. */
  version(subject: string): number | undefined
}

/** Registries replicate: an id that is not known yet may be known soon. After so long it is taken for unknown. */
const UNKNOWN_AFTER_MS = 60_000
/** For so long an unknown id is not asked for again. */
const UNKNOWN_FOR_MS = 300_000
/** When so many ids turned out unknown in `UNKNOWN_FOR_MS`, ids are garbage rather than late: others are not waited for. */
const MAX_WAITS = 3
/** Unknown ids that are remembered. */
const MAX_UNKNOWN = 10_000
/** A subject that the schema was registered under later is looked for no more often. */
const VERSIONS_FOR_MS = 300_000
const BACKOFF = { firstMs: 200, maxMs: 30_000 }
const ABSENT_BACKOFF = { firstMs: 200, maxMs: 5_000 }

interface Context {
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly log: Log
}

export const openSchemaRegistry = (options: SchemaRegistryOptions, context: Context): SchemaRegistry =>
  new CachedRegistry(registryGet(options, context.readSecret), context.clock, context.log)

/** Exported for tests, which give it another `get`. */
export class CachedRegistry implements SchemaRegistry {
  readonly #get: Get
  readonly #clock: Clock
  readonly #log: Log
  readonly #found = new Map<number, FoundSchema>()
  readonly #unknownSinceMs = new Map<number, number>()
  readonly #asked = new Map<number, Asked>()
  readonly #stopping = new AbortController()

  constructor(get: Get, clock: Clock, log: Log) {
    this.#get = get
    this.#clock = clock
    this.#log = log
  }

  lookUp(id: number): Found | Pending | undefined {
    const found = this.#found.get(id)
    if (found !== undefined) return found
    const sinceMs = this.#unknownSinceMs.get(id)
    if (sinceMs !== undefined && this.#clock.now() - sinceMs < UNKNOWN_FOR_MS) return undefined
    let asked = this.#asked.get(id)
    if (asked === undefined) {
      asked = new Asked()
      this.#asked.set(id, asked)
      asked.ready = this.#ask(id, asked).finally(() => this.#asked.delete(id))
    }
    return asked
  }

  close(): void {
    this.#stopping.abort()
  }

  /** Settles when the id is found or taken for unknown. */
  async #ask(id: number, asked: Asked): Promise<void> {
    const { signal } = this.#stopping
    let absentSinceMs: number | undefined
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const loaded = await loadSchema(this.#get, id)
        if (loaded !== undefined) {
          const versions = await loadVersions(this.#get, id)
          this.#unknownSinceMs.delete(id)
          this.#found.set(id, new FoundSchema(id, loaded, versions, this.#get, this.#clock))
          return
        }
        absentSinceMs ??= this.#clock.now()
        asked.trouble = 'SchemaNotFound'
        if (!this.#isWorthWaiting(id) || this.#clock.now() - absentSinceMs >= UNKNOWN_AFTER_MS) {
          this.#remember(id)
          return
        }
      } catch (error) {
        const code = error instanceof RetryableError ? error.code : 'RegistryTrouble'
        // Only the registry's own answer counts: time without one is not held against the id.
        absentSinceMs = undefined
        if (asked.trouble !== code) this.#log.warn('the schema registry is in trouble', { schemaId: id, code }, error)
        asked.trouble = code
      }
      const limits = asked.trouble === 'SchemaNotFound' ? ABSENT_BACKOFF : BACKOFF
      await this.#clock.sleep(backoffMs(attempt, this.#clock.random(), limits), signal)
    }
  }

  /** Not when it was found unknown before, nor when so many others just were. */
  #isWorthWaiting(id: number): boolean {
    if (this.#unknownSinceMs.has(id)) return false
    const sinceMs = this.#clock.now() - UNKNOWN_FOR_MS
    let recent = 0
    for (const eachMs of this.#unknownSinceMs.values()) if (eachMs > sinceMs && ++recent >= MAX_WAITS) return false
    return true
  }

  #remember(id: number): void {
    this.#log.warn('the schema registry does not know an id', { schemaId: id })
    // Last in, so that the first is the oldest.
    this.#unknownSinceMs.delete(id)
    this.#unknownSinceMs.set(id, this.#clock.now())
    for (const oldest of this.#unknownSinceMs.keys()) {
      if (this.#unknownSinceMs.size <= MAX_UNKNOWN) break
      this.#unknownSinceMs.delete(oldest)
    }
  }
}

class Asked implements Pending {
  ready: Promise<void> = Promise.resolve()
  trouble: string | undefined
}

class FoundSchema implements Found {
  readonly id: number
  readonly type: LoadedSchema['type']
  readonly text: string
  readonly references: LoadedSchema['references']
  readonly #get: Get
  readonly #clock: Clock
  #versions: ReadonlyMap<string, number>
  #versionsAtMs: number

  constructor(id: number, loaded: LoadedSchema, versions: ReadonlyMap<string, number>, get: Get, clock: Clock) {
    this.id = id
    this.type = loaded.type
    this.text = loaded.text
    this.references = loaded.references
    this.#get = get
    this.#clock = clock
    this.#versions = versions
    this.#versionsAtMs = clock.now()
  }

  version(subject: string): number | undefined {
    const version = this.#versions.get(subject)
    if (version === undefined && this.#clock.now() - this.#versionsAtMs >= VERSIONS_FOR_MS) {
      this.#versionsAtMs = this.#clock.now()
      // Not waited for, and what fails is tried again: a version helps people, records do not need it.
      void loadVersions(this.#get, this.id).then(
        versions => (this.#versions = versions),
        () => {}
      )
    }
    return version
  }
}
