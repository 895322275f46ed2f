import type { SettledPipeline, SettledTopic } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { invariant } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { dialectOf, type Dialect } from '../columns/dialect.ts'
import { parseProto } from '../protobuf/parse-proto.ts'
import { openSchemaRegistry, type SchemaRegistry } from '../registry/schema-registry.ts'
import { AvroSchemas } from './avro-reader.ts'
import { createJsonReader } from './json-inferred.ts'
import { JsonSchemas } from './json-schema-reader.ts'
import { ProtoSchemas } from './proto-reader.ts'
import type { ReaderPlace, ValueReader } from './value-reader.ts'

/** Makes the readers of values whose fields become columns. */
export interface ValueReaders {
  /** Undefined for entries of which no field does. */
  readerFor(entry: SettledTopic, place: ReaderPlace): ValueReader | undefined
  close(): void
}

export interface ValueReaderContext {
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly log: Log
}

/** Nothing is connected to before a value asks for it. */
export function openValueReaders({ source, sink }: SettledPipeline, context: ValueReaderContext): ValueReaders {
  const { schemaRegistry: options } = source
  const dialect = dialectOf(sink.kind)
  const registry: SchemaRegistry | undefined = options && openSchemaRegistry(options, context)
  const registered = registry && registeredReaders(registry, dialect)
  return {
    readerFor: ({ name, format, schema: { mode } }, place) => {
      if (mode === 'Inferred') return createJsonReader(place.known, dialect)
      // JSON without a schema is read by who lifts from it.
      if (mode === 'Declared' || (mode === 'Payload' && format !== 'JsonSchema')) return undefined
      invariant(registered !== undefined, `${name} of format ${format} has a schema registry`)
      return registered(format, mode, place)
    },
    close: () => registry?.close()
  }
}

function registeredReaders(registry: SchemaRegistry, dialect: Dialect) {
  const avro = new AvroSchemas(registry, dialect)
  const proto = new ProtoSchemas(registry, dialect, parseProto)
  const json = new JsonSchemas(registry, dialect)
  return (format: SettledTopic['format'], mode: 'Payload' | 'Registered', place: ReaderPlace): ValueReader => {
    if (mode === 'Payload') return json.wholeReader(place)
    if (format === 'Protobuf') return proto.reader(place.topic)
    return format === 'JsonSchema' ? json.reader(place) : avro.reader(place.topic)
  }
}
