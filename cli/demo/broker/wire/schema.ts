import { EMPTY_UUID, type Reader } from './reader.ts'
import { Writer } from './writer.ts'

/**
 * A type of Kafka's message definitions: how it is read and written, and in which versions of its message it is there.
 * A field outside its versions, or left out by who writes it, has the value `fallback`.
 */
export interface Type<T> {
  readonly from: number
  readonly until: number
  /** Set for a tagged field (KIP-482); it is written only where its value is given. */
  readonly tag?: number
  readonly fallback: T
  read(reader: Reader): T
  write(writer: Writer, value: T): void
}

export type Value<S> = S extends Type<infer T> ? T : never

/** A message of which any field may be left out. */
export type Draft<T> = T extends Buffer | null
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Draft<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]?: Draft<T[Name]> | undefined }
      : T

type Fields = Readonly<Record<string, Type<unknown>>>

const primitive = <T>(
  fallback: T,
  read: (reader: Reader) => T,
  write: (writer: Writer, value: T) => void
): Type<T> => ({
  from: 0,
  until: Infinity,
  fallback,
  read,
  write
})

export const bool = primitive(
  false,
  reader => reader.int8() !== 0,
  (writer, value) => writer.int8(value ? 1 : 0)
)
export const int8 = primitive(
  0,
  reader => reader.int8(),
  (writer, value) => writer.int8(value)
)
export const int16 = primitive(
  0,
  reader => reader.int16(),
  (writer, value) => writer.int16(value)
)
export const int32 = primitive(
  0,
  reader => reader.int32(),
  (writer, value) => writer.int32(value)
)
export const int64 = primitive(
  0,
  reader => reader.int64(),
  (writer, value) => writer.int64(value)
)
export const uuid = primitive(
  EMPTY_UUID,
  reader => reader.uuid(),
  (writer, value) => writer.uuid(value)
)
export const string = primitive(
  '',
  reader => reader.string() ?? '',
  (writer, value) => writer.string(value)
)
export const nullableString = primitive<string | null>(
  null,
  reader => reader.string(),
  (writer, value) => writer.string(value)
)
export const bytes = primitive<Buffer>(
  Buffer.alloc(0),
  reader => reader.byteString() ?? Buffer.alloc(0),
  (writer, value) => writer.byteString([value])
)
/** Record batches, as the pieces they are kept in. */
export const records = primitive<readonly Buffer[] | null>(
  null,
  reader => {
    const value = reader.byteString()
    return value === null ? null : [value]
  },
  (writer, value) => writer.byteString(value)
)

export const array = <T>(item: Type<T>): Type<readonly T[]> =>
  primitive<readonly T[]>(
    [],
    reader => reader.array(() => item.read(reader)) ?? [],
    (writer, values) => writer.array(values, value => item.write(writer, value))
  )

export const nullableArray = <T>(item: Type<T>): Type<readonly T[] | null> =>
  primitive<readonly T[] | null>(
    null,
    reader => reader.array(() => item.read(reader)),
    (writer, values) => writer.array(values, value => item.write(writer, value))
  )

/** Fields in the order of the wire; the tagged ones may stand anywhere. */
export function struct<F extends Fields>(fields: F): Type<{ readonly [Name in keyof F]: Value<F[Name]> }> {
  type Message = { readonly [Name in keyof F]: Value<F[Name]> }
  const all = Object.entries(fields)
  const plain = all.filter(([, field]) => field.tag === undefined)
  const tagged = all.filter(([, field]) => field.tag !== undefined)
  const fallback = Object.fromEntries(all.map(([name, field]) => [name, field.fallback])) as Message
  return primitive<Message>(
    fallback,
    reader => {
      const message: Record<string, unknown> = { ...fallback }
      for (const [name, field] of plain) if (isIn(field, reader.version)) message[name] = field.read(reader)
      if (!reader.flexible) return message as Message
      reader.taggedFields(tag => {
        const known = tagged.find(([, field]) => field.tag === tag && isIn(field, reader.version))
        if (known) message[known[0]] = known[1].read(reader)
      })
      return message as Message
    },
    (writer, message: Readonly<Record<string, unknown>>) => {
      for (const [name, field] of plain)
        if (isIn(field, writer.version)) field.write(writer, message[name] ?? nullOr(message[name], field))
      if (writer.flexible) writeTagged(writer, message, tagged)
    }
  )
}

/** The field exists from this version on, optionally with another default. */
export const since = <T>(version: number, type: Type<T>, fallback: T = type.fallback): Type<T> => ({
  ...type,
  from: version,
  fallback
})

/** The field exists up to this version. */
export const upTo = <T>(version: number, type: Type<T>, fallback: T = type.fallback): Type<T> => ({
  ...type,
  until: version,
  fallback
})

export const tagged = <T>(tag: number, version: number, type: Type<T>): Type<T | undefined> => ({
  from: version,
  until: Infinity,
  tag,
  fallback: undefined,
  read: reader => type.read(reader),
  write: (writer, value) => {
    if (value !== undefined) type.write(writer, value)
  }
})

const isIn = (field: Type<unknown>, version: number): boolean => version >= field.from && version <= field.until

const nullOr = (value: unknown, field: Type<unknown>): unknown => (value === null ? null : field.fallback)

function writeTagged(
  writer: Writer,
  message: Readonly<Record<string, unknown>>,
  fields: readonly (readonly [string, Type<unknown>])[]
): void {
  const present = fields.filter(([name, field]) => isIn(field, writer.version) && message[name] !== undefined)
  writer.unsignedVarint(present.length)
  for (const [name, field] of present) {
    const content = new Writer(writer.version, true)
    field.write(content, message[name])
    writer.unsignedVarint(field.tag ?? 0)
    writer.unsignedVarint(content.size)
    writer.append(content.finish())
  }
}
