import type { SettledPipeline, SettledTopic } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { invariant } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { dialectOf } from '../columns/dialect.ts'
import { parseProto } from '../protobuf/parse-proto.ts'
import { openSchemaRegistry, type SchemaRegistry } from '../registry/schema-registry.ts'
import type { TableColumn } from '../sink.ts'
import { AvroSchemas, createAvroReader } from './avro-reader.ts'
import { createJsonReader } from './json-inferred.ts'
import { ProtoSchemas } from './proto-reader.ts'
import type { ValueReader } from './value-reader.ts'

/** Makes the readers of values whose fields become columns. */
export interface ValueReaders {
  /** Undefined for entries of which no field does. */
  readerFor(entry: SettledTopic, place: ReaderPlace): ValueReader | undefined
  close(): void
}

/** Where a reader's records come from, and where they go. */
export interface ReaderPlace {
  readonly topic: string
  /** The table's columns for fields of values as they are now; the same array while nothing changes. */
  readonly known: () => readonly TableColumn[]
}

export interface ValueReaderContext {
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly log: Log
}

/** Nothing is connected to before a value asks for it. */
export function openValueReaders({ source, sink }: SettledPipeline, context: ValueReaderContext): ValueReaders {
  const { schemaRegistry: options } = source
  const registry: SchemaRegistry | undefined = options && openSchemaRegistry(options, context)
  const dialect = dialectOf(sink.kind)
  const avro = registry && new AvroSchemas(registry, dialect)
  const proto = registry && new ProtoSchemas(registry, dialect, parseProto)
  return {
    readerFor: ({ name, format, schema: { mode } }, { topic, known }) => {
      switch (mode) {
        case 'Payload':
        case 'Declared':
          return undefined
        case 'Inferred':
          return createJsonReader(known)
        case 'Registered':
          invariant(avro !== undefined && proto !== undefined, `${name} of format ${format} has a schema registry`)
          return format === 'Protobuf' ? proto.reader(topic) : createAvroReader(avro, topic)
      }
    },
    close: () => registry?.close()
  }
}
