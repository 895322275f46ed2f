import type { ByteWriter } from './byte-writer.ts'
import type { AvroRecord, AvroType } from './type.ts'

export type WriteValue = (to: ByteWriter, value: unknown) => void

/**
 * A function that writes values of a type, as `valueReader` gives them. Undefined is null; objects serve as maps too. It throws
 * TypeError for what the type cannot hold; what was written by then is of no use.
 */
export function valueWriter(type: AvroType): WriteValue {
  return new Compiler().write(type)
}

class Compiler {
  readonly #records = new Map<AvroRecord, WriteValue>()

  write(type: AvroType): WriteValue {
    switch (type.kind) {
      case 'null':
        return (_, value) => expect(value === null || value === undefined, 'null', value)
      case 'boolean':
        return (to, value) => {
          expect(typeof value === 'boolean', 'boolean', value)
          to.byte(value ? 1 : 0)
        }
      case 'int':
      case 'long':
        return integer(type.kind === 'int' ? 32 : 64)
      case 'float':
      case 'double': {
        const { kind } = type
        return (to, value) => {
          expect(typeof value === 'number', kind, value)
          to[kind](value as number)
        }
      }
      case 'bytes':
        return (to, value) => {
          expect(value instanceof Uint8Array, 'bytes', value)
          to.bytes(value as Uint8Array)
        }
      case 'string':
        return writeString
      case 'fixed':
        return (to, value) => {
          expect(value instanceof Uint8Array && value.length === type.sizeBytes, `${type.sizeBytes} bytes`, value)
          to.raw(value as Uint8Array)
        }
      case 'enum':
        return (to, value) => {
          const index = type.symbols.indexOf(value as string)
          expect(index >= 0, `a symbol of ${type.name}`, value)
          to.long(index)
        }
      case 'union':
        return this.#union(type.branches)
      case 'array':
        return arrayOf(this.write(type.items))
      case 'map':
        return mapOf(this.write(type.values))
      case 'record':
        return this.#record(type)
    }
  }

  #record(type: AvroRecord): WriteValue {
    const known = this.#records.get(type)
    if (known !== undefined) return known
    const fields: { readonly name: string; readonly write: WriteValue }[] = []
    const write: WriteValue = (to, value) => {
      expect(typeof value === 'object' && value !== null, `a record ${type.name}`, value)
      const record = value as Readonly<Record<string, unknown>>
      for (const { name, write } of fields) write(to, record[name])
    }
    this.#records.set(type, write)
    for (const { name, type: inner } of type.fields) fields.push({ name, write: named(name, this.write(inner)) })
    return write
  }

  /** The first branch that may hold a value of its JavaScript type. */
  #union(branches: readonly AvroType[]): WriteValue {
    const writers = branches.map(branch => ({
      fits: (value: unknown) => mayHold(branch, value),
      write: this.write(branch)
    }))
    return (to, value) => {
      const index = writers.findIndex(({ fits }) => fits(value))
      expect(index >= 0, `a branch of a union (${branches.map(({ kind }) => kind).join(', ')})`, value)
      to.long(index)
      writers[index]?.write(to, value)
    }
  }
}

const named =
  (name: string, write: WriteValue): WriteValue =>
  (to, value) => {
    try {
      write(to, value)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      throw new TypeError(`${name}: ${error.message}`)
    }
  }

function integer(bits: 32 | 64): WriteValue {
  const limit = 2n ** BigInt(bits - 1)
  return (to, value) => {
    const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value)
    expect(isInteger && (value as number) >= -limit && (value as number) < limit, `an integer of ${bits} bits`, value)
    to.long(value as number | bigint)
  }
}

function writeString(to: ByteWriter, value: unknown): void {
  expect(typeof value === 'string', 'string', value)
  to.bytes(Buffer.from(value as string))
}

const arrayOf =
  (write: WriteValue): WriteValue =>
  (to, value) => {
    expect(Array.isArray(value), 'an array', value)
    const items = value as readonly unknown[]
    if (items.length > 0) to.long(items.length)
    for (const item of items) write(to, item)
    to.long(0)
  }

const mapOf =
  (write: WriteValue): WriteValue =>
  (to, value) => {
    expect(typeof value === 'object' && value !== null && !Array.isArray(value), 'a map', value)
    const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
    if (entries.length > 0) to.long(entries.length)
    for (const [key, item] of entries) {
      writeString(to, key)
      write(to, item)
    }
    to.long(0)
  }

function mayHold(type: AvroType, value: unknown): boolean {
  switch (type.kind) {
    case 'null':
      return value === null || value === undefined
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
      return Number.isInteger(value) && (value as number) === ((value as number) | 0)
    case 'long':
      return typeof value === 'bigint' || Number.isSafeInteger(value)
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'bytes':
      return value instanceof Uint8Array
    case 'fixed':
      return value instanceof Uint8Array && value.length === type.sizeBytes
    case 'string':
      return typeof value === 'string'
    case 'enum':
      return type.symbols.includes(value as string)
    case 'array':
      return Array.isArray(value)
    case 'map':
    case 'record':
      return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
    case 'union':
      return false
  }
}

function expect(holds: boolean, what: string, value: unknown): void {
  if (!holds) throw new TypeError(`expected ${what}, found ${value === null ? 'null' : typeof value}`)
}
