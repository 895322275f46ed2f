import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '../../../lib/clock.ts'
import { silentLog } from '../../../lib/log.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { ProtoSchemas } from '../../../consumer/decode/proto-reader.ts'
import { parseProto } from '../../../consumer/protobuf/parse-proto.ts'
import { RecordCursor } from '../../../consumer/record-batch.ts'
import { openSchemaRegistry } from '../../../consumer/registry/schema-registry.ts'
import { encodeProto, otherMessage } from '../../fakes/protobuf.ts'
import { dataBatch } from '../../fakes/records.ts'
import { framed } from '../../fakes/schema-registry.ts'
import { need } from '../../servers/need.ts'
import { sharedRegistry } from '../../servers/registry.ts'

test('files that import each other, and their versions, come from a registry', need('registry'), async t => {
  const server = await sharedRegistry()
  const topic = `trips-${randomUUID()}`
  const body = `message Place { double lat = 1; Zone zone = 2; } enum Zone { NOWHERE = 0; SOHO = 1; }`
  await server.register(`${topic}-place`, `syntax = "proto3"; package acme; ${body}`, { schemaType: 'PROTOBUF' })
  const references = [{ name: 'acme/place.proto', subject: `${topic}-place`, version: 1 }]
  const trip = (fields: string) =>
    `syntax = "proto3"; package acme; import "acme/place.proto"; import "google/protobuf/timestamp.proto"; message Trip { ${fields} }`
  const fields =
    'int64 id = 1; acme.Place place = 2; google.protobuf.Timestamp began = 3; map<string, int32> counts = 4;'
  const options = { schemaType: 'PROTOBUF', references } as const
  const first = await server.register(`${topic}-value`, trip('int64 id = 1; acme.Place place = 2;'), options)
  const second = await server.register(`${topic}-value`, trip(fields), options)
  const registry = openSchemaRegistry(
    { url: server.url, credentialsSecret: undefined, caSecret: undefined },
    { readSecret: () => Promise.resolve(undefined), clock: systemClock, log: silentLog }
  )
  t.after(() => registry.close())
  const reader = new ProtoSchemas(registry, dialectOf('iceberg'), parseProto).reader(topic)
  const written = { id: 5, place: { lat: 1.5, zone: 1 }, began: { seconds: 1, nanos: 2000 }, counts: { a: 1 } }
  const message = encodeProto(otherMessage(`${trip(fields)} ${body}`, 'acme.Trip'), written)
  const cursor = new RecordCursor()
  for (const [id, version] of [
    [second, 2],
    [first, 1]
  ] as const) {
    const value = framed(id, Buffer.concat([Buffer.from([0]), message]))
    cursor.reset(dataBatch({ topic, topicId: '', partition: 0 }, 0, [{ value }]))
    cursor.next()
    let found = reader.check(cursor)
    while (found !== undefined && 'ready' in found) {
      await found.ready
      found = reader.check(cursor)
    }
    assert.equal(found, undefined)
    assert.deepEqual(
      [reader.value('id'), { ...(reader.value('place') as object) }, reader.schemaVersion],
      [5, { lat: 1.5, zone: 'SOHO' }, version]
    )
  }
  assert.equal(reader.value('began'), undefined)
})
