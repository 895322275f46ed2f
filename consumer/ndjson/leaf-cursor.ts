import { invariant } from '../../lib/errors.ts'
import type { Leaf } from '../parquet/leaves.ts'
import type { Levels } from './page-levels.ts'
import type { OpenPage } from './open-page.ts'
import type { Output } from './output.ts'
import type { Part } from './part.ts'

/** Goes through the entries of one leaf, a page at a time, and writes its values as JSON. */
export abstract class LeafCursor implements Part {
  readonly leaf: Leaf
  readonly #pages: Iterator<OpenPage>
  #entry = 0
  #entries = 0
  #definitions: Levels = 0
  #repetitions: Levels = 0

  constructor(leaf: Leaf, pages: Iterator<OpenPage>) {
    this.leaf = leaf
    this.#pages = pages
  }

  definition(): number {
    if (this.#entry === this.#entries) this.#load()
    const levels = this.#definitions
    return typeof levels === 'number' ? levels : (levels[this.#entry] as number)
  }

  /** Pages end where rows do. */
  continues(repetition: number): boolean {
    if (this.#entry === this.#entries) return false
    const levels = this.#repetitions
    return (typeof levels === 'number' ? levels : (levels[this.#entry] as number)) >= repetition
  }

  pass(): void {
    if (this.#entry === this.#entries) this.#load()
    this.#entry++
  }

  /** Writes the next entry: its value, or null. */
  write(out: Output): void {
    if (this.definition() === this.leaf.maxDefinition) this.value(out)
    else this.absent(out)
    this.#entry++
  }

  /** Writes the next value and goes past it. */
  protected abstract value(out: Output): void
  /** Values of another page come next. */
  protected abstract open(page: OpenPage): void

  protected absent(out: Output): void {
    out.append(NULL)
  }

  #load(): void {
    const { done, value: page } = this.#pages.next()
    invariant(done !== true, `${this.leaf.name} has an entry in every row`)
    this.#entry = 0
    this.#entries = page.entries
    this.#definitions = page.definitions
    this.#repetitions = page.repetitions
    this.open(page)
  }
}

export const NULL = Buffer.from('null')
