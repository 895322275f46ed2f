import type { SettledSchema } from '../../crds/settled.ts'
import { FatalError } from '../../lib/errors.ts'
import type { TableColumn } from '../sink.ts'
import type { Binding } from './binding.ts'
import type { TablePlan } from './bronze.ts'
import { folded, mergeFields } from './evolve.ts'
import type { Field, TableSchema } from './schema.ts'

/** How fields land in the table's columns, or why they cannot. */
export interface Bound {
  readonly bindings: readonly Binding[]
  /** What is wrong, for people; records of these fields are dead letters. */
  readonly conflict: string | undefined
}

/**
 * The columns of one table as one consumer knows them: the pipeline's own, and those for fields of values, which grow
 * as fields are seen. Nothing is added to the table here: a sink does that with the rows that need it.
 */
export class TableColumns {
  readonly #plan: TablePlan
  readonly #reserved: ReadonlySet<string>
  #schema: TableSchema
  /** What the table had when it was recovered last, the pipeline's own columns aside. */
  #table: readonly TableColumn[] = []
  /** Columns for fields that this process has seen, by folded name. */
  readonly #used = new Map<string, Field>()
  /** Both; the same array while nothing changes. */
  #known: readonly Field[] = []
  #generation = 0
  /** Per policy, since entries that share a table may have others. */
  #bound = new Map<SettledSchema['onIncompatible'], WeakMap<readonly Field[], Bound>>()

  constructor(plan: TablePlan) {
    this.#plan = plan
    this.#schema = plan.schema
    // Catalogs refuse a column that is called as a field of the partition spec.
    const { fields, partitionFields = [] } = plan.schema
    this.#reserved = new Set([...fields, ...partitionFields].map(({ name }) => folded(name)))
  }

  /** What new rows are written in; another object exactly when it changed. */
  get schema(): TableSchema {
    return this.#schema
  }

  /** The columns for fields of values that the table has or will have; the same array while nothing changes. */
  get known(): readonly Field[] {
    return this.#known
  }

  /** Another number once what was bound before may be bound otherwise. */
  get generation(): number {
    return this.#generation
  }

  /** The table as it is. What this process added and others could not agree to is given up: it is decided anew. */
  recovered(columns: readonly TableColumn[]): void {
    if (this.#plan.growth === undefined) return
    this.#table = columns.filter(({ name }) => !this.#reserved.has(folded(name)))
    this.#bound = new Map()
    this.#generation++
    const mine = [...this.#used.values()]
    this.#used.clear()
    for (const field of mine) {
      const { fields, conflicts } = this.#merge([field], 'DeadLetter')
      if (conflicts.length === 0) for (const merged of fields) this.#used.set(folded(merged.name), merged)
    }
    this.#settle()
  }

  /**
   * Finds these fields their columns; new ones are in `schema` from then on. FatalError `IncompatibleSchema` with
   * policy Stop.
   */
  bind(fields: readonly Field[], onIncompatible: SettledSchema['onIncompatible']): Bound {
    let known = this.#bound.get(onIncompatible)
    if (known === undefined) this.#bound.set(onIncompatible, (known = new WeakMap()))
    let bound = known.get(fields)
    if (bound !== undefined) return bound
    bound = this.#bind(fields, onIncompatible)
    known.set(fields, bound)
    return bound
  }

  #bind(fields: readonly Field[], onIncompatible: SettledSchema['onIncompatible']): Bound {
    const merged = this.#merge(fields, onIncompatible)
    if (merged.conflicts.length > 0) {
      const conflict = shortened(merged.conflicts)
      if (onIncompatible === 'Stop') throw incompatible(this.#plan.table, conflict)
      return { bindings: [], conflict }
    }
    for (const field of merged.fields) {
      const known = this.#used.get(folded(field.name))
      // Row groups tell by the objects which columns are as they were.
      if (known === undefined || !isSame([known], [field])) this.#used.set(folded(field.name), field)
    }
    this.#settle()
    return { bindings: merged.bindings, conflict: undefined }
  }

  #merge(fields: readonly Field[], onIncompatible: SettledSchema['onIncompatible']) {
    const { canWiden = false, foldsNames } = this.#plan.growth ?? {}
    return mergeFields(this.#current(), fields, { onIncompatible, reserved: this.#reserved, canWiden, foldsNames })
  }

  /** What this process uses is at least as wide as what the table had. */
  #current(): readonly TableColumn[] {
    const current = new Map<string, TableColumn>(this.#table.map(column => [folded(column.name), column]))
    for (const [key, field] of this.#used) current.set(key, field)
    return [...current.values()]
  }

  #settle(): void {
    const { schema } = this.#plan
    const fields = [...schema.fields, ...this.#used.values()]
    if (!isSame(fields, this.#schema.fields)) this.#schema = { ...schema, fields }
    const known = this.#current().flatMap(({ name, type, nullable, isJson }) =>
      type === undefined ? [] : { name, type, nullable, ...(isJson && { isJson }) }
    )
    if (!isSame(known, this.#known)) this.#known = known
  }
}

const isSame = (a: readonly Field[], b: readonly Field[]): boolean =>
  a.length === b.length && JSON.stringify(a) === JSON.stringify(b)

/** Conflicts named in a message. */
const MAX_NAMED = 3

function shortened(conflicts: readonly string[]): string {
  const more = conflicts.length - MAX_NAMED
  return conflicts.slice(0, MAX_NAMED).join('; ') + (more > 0 ? `; and ${more} more` : '')
}

const incompatible = (table: string, conflict: string): FatalError =>
  new FatalError(
    'IncompatibleSchema',
    `Values have fields that the columns of table ${table} cannot take: ${conflict}. ` +
      'Change the table or the producer, or set schema.onIncompatible of the topic to NewColumn or DeadLetter.'
  )
