import { NULL } from './leaf-cursor.ts'
import type { Output } from './output.ts'
import type { Part } from './part.ts'

const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const COMMA = 0x2c
const COLON = 0x3a
const EMPTY_LIST = Buffer.from('[]')
const EMPTY_MAP = Buffer.from('{}')

/** `"name":` */
export const memberName = (name: string): string => `${JSON.stringify(name)}:`

/** An object of named parts; null where it is not there. */
export class StructPart implements Part {
  readonly #definition: number
  readonly #parts: readonly Part[]
  readonly #first: Part
  /** What stands before each part. */
  readonly #names: readonly Buffer[]

  /** `definition` is the level at which it is there. It has at least one part. */
  constructor(definition: number, parts: readonly { readonly name: string; readonly part: Part }[]) {
    this.#definition = definition
    this.#parts = parts.map(({ part }) => part)
    this.#first = this.#parts[0] as Part
    this.#names = parts.map(({ name }, index) => Buffer.from(`${index === 0 ? '{' : ','}${memberName(name)}`))
  }

  definition(): number {
    return this.#first.definition()
  }

  continues(repetition: number): boolean {
    return this.#first.continues(repetition)
  }

  write(out: Output): void {
    if (this.#first.definition() < this.#definition) {
      this.pass()
      out.append(NULL)
      return
    }
    const parts = this.#parts
    for (let index = 0; index < parts.length; index++) {
      out.append(this.#names[index] as Buffer)
      ;(parts[index] as Part).write(out)
    }
    out.byte(CLOSE_OBJECT)
  }

  pass(): void {
    for (const part of this.#parts) part.pass()
  }
}

/** Levels of a list: of an element that is there, and of one that is not the first. */
export interface ListLevels {
  readonly definition: number
  readonly repetition: number
}

/** An array; null where it is not there. */
export class ListPart implements Part {
  readonly #levels: ListLevels
  readonly #element: Part

  constructor(levels: ListLevels, element: Part) {
    this.#levels = levels
    this.#element = element
  }

  definition(): number {
    return this.#element.definition()
  }

  continues(repetition: number): boolean {
    return this.#element.continues(repetition)
  }

  write(out: Output): void {
    const { definition, repetition } = this.#levels
    const element = this.#element
    const there = element.definition()
    if (there < definition) {
      element.pass()
      out.append(there === definition - 1 ? EMPTY_LIST : NULL)
      return
    }
    let before = OPEN_LIST
    do {
      out.byte(before)
      element.write(out)
      before = COMMA
    } while (element.continues(repetition))
    out.byte(CLOSE_LIST)
  }

  pass(): void {
    this.#element.pass()
  }
}

/** A map with text for keys, as an object. */
export class MapPart implements Part {
  readonly #levels: ListLevels
  readonly #key: Part
  readonly #value: Part

  constructor(levels: ListLevels, key: Part, value: Part) {
    this.#levels = levels
    this.#key = key
    this.#value = value
  }

  definition(): number {
    return this.#key.definition()
  }

  continues(repetition: number): boolean {
    return this.#key.continues(repetition)
  }

  write(out: Output): void {
    const { definition, repetition } = this.#levels
    const there = this.#key.definition()
    if (there < definition) {
      this.pass()
      out.append(there === definition - 1 ? EMPTY_MAP : NULL)
      return
    }
    let before = OPEN_OBJECT
    do {
      out.byte(before)
      this.#key.write(out)
      out.byte(COLON)
      this.#value.write(out)
      before = COMMA
    } while (this.#key.continues(repetition))
    out.byte(CLOSE_OBJECT)
  }

  pass(): void {
    this.#key.pass()
    this.#value.pass()
  }
}
