import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { ValueReader } from '../../../consumer/decode/value-reader.ts'
import { RecordCursor } from '../../../consumer/record-batch.ts'
import { openSchemaRegistry, type SchemaRegistry } from '../../../consumer/registry/schema-registry.ts'
import { systemClock } from '../../../lib/clock.ts'
import { silentLog } from '../../../lib/log.ts'
import { dataBatch } from '../../fakes/records.ts'
import { framed } from '../../fakes/schema-registry.ts'

/** A client of the registry at `url`, closed with the test. */
export function openAt(context: Pick<TestContext, 'after'>, url: string): SchemaRegistry {
  const registry = openSchemaRegistry(
    { url, credentialsSecret: undefined, caSecret: undefined },
    { readSecret: () => Promise.resolve(undefined), clock: systemClock, log: silentLog }
  )
  context.after(() => registry.close())
  return registry
}

/** Lets a reader check a value that is framed with the id of its schema, as soon as it has the schema. */
export async function checkFramed(reader: ValueReader, topic: string, id: number, value: Uint8Array): Promise<void> {
  const cursor = new RecordCursor()
  cursor.reset(dataBatch({ topic, topicId: '', partition: 0 }, 0, [{ value: framed(id, value) }]))
  cursor.next()
  let found = reader.check(cursor)
  while (found !== undefined && 'ready' in found) {
    await found.ready
    found = reader.check(cursor)
  }
  assert.equal(found, undefined)
}
