import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { ProtoSchemas } from '../../../consumer/decode/proto-reader.ts'
import { parseProto } from '../../../consumer/protobuf/parse-proto.ts'
import { encodeProto, otherMessage } from '../../fakes/protobuf.ts'
import { need } from '../../servers/need.ts'
import { sharedRegistry } from '../../servers/registry.ts'
import { checkFramed, openAt } from './lookups.ts'

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
  const registry = openAt(t, server.url)
  const reader = new ProtoSchemas(registry, dialectOf('iceberg'), parseProto).reader(topic)
  const written = { id: 5, place: { lat: 1.5, zone: 1 }, began: { seconds: 1, nanos: 2000 }, counts: { a: 1 } }
  const message = encodeProto(otherMessage(`${trip(fields)} ${body}`, 'acme.Trip'), written)
  for (const [id, version] of [
    [second, 2],
    [first, 1]
  ] as const) {
    await checkFramed(reader, topic, id, Buffer.concat([Buffer.from([0]), message]))
    assert.deepEqual(
      [reader.value('id'), { ...(reader.value('place') as object) }, reader.schemaVersion],
      [5, { lat: 1.5, zone: 'SOHO' }, version]
    )
  }
  assert.equal(reader.value('began'), undefined)
})
