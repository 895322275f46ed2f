import { isUtf8 } from '../decode/utf8.ts'
import { AvroError, type ByteReader } from './byte-reader.ts'
import type { AvroRecord, AvroType } from './type.ts'

export type ReadValue = (from: ByteReader) => unknown

/** Nesting of values; schemas that contain themselves set no bound. */
const MAX_DEPTH = 64

/**
 * A function that reads values of a type as null, boolean, number, bigint (beyond safe integers), string, Buffer (a copy), array,
 * Map or object; of a union just the value, and base types whatever they stand for. It throws AvroError.
 */
export function valueReader(type: AvroType): ReadValue {
  return new Compiler().read(type)
}

class Compiler {
  readonly #records = new Map<AvroRecord, ReadValue>()

  read(type: AvroType): ReadValue {
    switch (type.kind) {
      case 'null':
        return () => null
      case 'boolean':
        return from => from.boolean()
      case 'int':
        return from => from.int()
      case 'long':
        return from => from.long()
      case 'float':
        return from => from.float()
      case 'double':
        return from => from.double()
      case 'bytes':
        return from => from.take(from.size())
      case 'string':
        return readString
      case 'fixed':
        return from => from.take(type.sizeBytes)
      case 'enum':
        return from => at(type.symbols, from.int())
      case 'union': {
        const branches = type.branches.map(branch => this.read(branch))
        return from => at(branches, from.int())(from)
      }
      case 'array':
        return arrayOf(this.read(type.items))
      case 'map':
        return mapOf(this.read(type.values))
      case 'record':
        return this.#record(type)
    }
  }

  #record(type: AvroRecord): ReadValue {
    const known = this.#records.get(type)
    if (known !== undefined) return known
    const fields: { readonly name: string; readonly read: ReadValue }[] = []
    let depth = 0
    const read: ReadValue = from => {
      if (++depth > MAX_DEPTH) throw new AvroError(`a value is nested deeper than ${MAX_DEPTH}`)
      try {
        const record: Record<string, unknown> = {}
        for (const { name, read } of fields) {
          // Assigning this name would change the object's prototype.
          if (name === '__proto__') Object.defineProperty(record, name, { value: read(from), enumerable: true })
          else record[name] = read(from)
        }
        return record
      } finally {
        depth--
      }
    }
    this.#records.set(type, read)
    for (const { name, type: inner } of type.fields) fields.push({ name, read: this.read(inner) })
    return read
  }
}

function readString(from: ByteReader): string {
  const length = from.size()
  const start = from.skip(length)
  if (!isUtf8(from.bytes, start, start + length)) throw new AvroError('a string is not UTF-8')
  return from.bytes.toString('utf8', start, start + length)
}

const arrayOf =
  (read: ReadValue): ReadValue =>
  from => {
    const items: unknown[] = []
    forEachItem(from, () => items.push(read(from)))
    return items
  }

const mapOf =
  (read: ReadValue): ReadValue =>
  from => {
    const entries = new Map<string, unknown>()
    forEachItem(from, () => entries.set(readString(from), read(from)))
    return entries
  }

/** Arrays and maps come in blocks; a negative count is followed by the block's length in bytes. */
function forEachItem(from: ByteReader, read: () => void): void {
  for (let count = from.long(); count !== 0; count = from.long()) {
    if (count < 0) from.size()
    for (let left = count < 0 ? -BigInt(count) : BigInt(count); left > 0n; left--) {
      const before = from.position
      read()
      if (from.position === before && --from.emptyLeft < 0)
        throw new AvroError('there are too many items without bytes')
    }
  }
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new AvroError(`${index} is none of ${items.length} branches or symbols`)
  return item
}
