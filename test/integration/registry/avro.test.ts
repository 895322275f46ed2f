import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '../../../lib/clock.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { AvroSchemas } from '../../../consumer/decode/avro-reader.ts'
import type { Found, SchemaRegistry } from '../../../consumer/registry/schema-registry.ts'
import { otherType } from '../../fakes/avro.ts'
import { need } from '../../servers/need.ts'
import { sharedRegistry, startRegistry } from '../../servers/registry.ts'
import { checkFramed, openAt } from './lookups.ts'

async function find(registry: SchemaRegistry, id: number): Promise<Found | undefined> {
  for (;;) {
    const found = registry.lookUp(id)
    if (found === undefined || 'text' in found) return found
    await found.ready
  }
}

const record = (name: string, types: Record<string, unknown>) => ({
  type: 'record',
  name,
  fields: Object.entries(types).map(([field, type]) => ({ name: field, type }))
})

test('schemas, what they refer to, and their versions come from a registry', need('registry'), async t => {
  const server = await sharedRegistry()
  const topic = `trips-${randomUUID()}`
  const place = record(`com.acme.Place${randomUUID().replaceAll('-', '')}`, { lat: 'double', lon: 'double' })
  await server.register(`${topic}-place`, place)
  const references = [{ name: place.name, subject: `${topic}-place`, version: 1 }]
  const first = await server.register(`${topic}-value`, record('Trip', { id: 'long', at: place.name }), { references })
  const second = await server.register(`${topic}-value`, record('Trip', { id: 'long', fare: 'float' }))
  const registry = openAt(t, server.url)
  const found = await Promise.all([find(registry, first), find(registry, second)])
  assert.deepEqual(
    found.map(each => [each?.type, each?.references.length, each?.version(`${topic}-value`)]),
    [
      ['AVRO', 1, 1],
      ['AVRO', 0, 2]
    ]
  )
  const reader = new AvroSchemas(registry, dialectOf('iceberg')).reader(topic)
  const value = otherType(record('Trip', { id: 'long', at: place })).toBuffer({ id: 5n, at: { lat: 1.5, lon: -2 } })
  await checkFramed(reader, topic, first, value)
  assert.deepEqual([reader.value('id'), reader.value('at'), reader.schemaVersion], [5n, { lat: 1.5, lon: -2 }, 1])
})

test('other kinds of schemas are told by their type', need('registry'), async t => {
  const server = await sharedRegistry()
  const topic = `other-${randomUUID()}`
  const json = await server.register(
    `${topic}-json`,
    { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
    { schemaType: 'JSON' }
  )
  const protobuf = await server.register(`${topic}-proto`, 'syntax = "proto3"; message A { int32 a = 1; }', {
    schemaType: 'PROTOBUF'
  })
  const registry = openAt(t, server.url)
  assert.deepEqual([(await find(registry, json))?.type, (await find(registry, protobuf))?.type], ['JSON', 'PROTOBUF'])
})

test('what a registry does not have yet, or cannot tell while it is away, is waited for', need('registry'), async t => {
  const server = await startRegistry()
  t.after(() => server.stop())
  const registry = openAt(t, server.url)
  const last = await server.register('a-value', record('A', { a: 'int' }))
  const late = registry.lookUp(last + 1)
  assert.ok(late !== undefined && 'ready' in late)
  while (late.trouble === undefined) await systemClock.sleep(20)
  assert.equal(late.trouble, 'SchemaNotFound')
  const next = await server.register('b-value', record('B', { b: 'string' }))
  assert.equal(next, last + 1)
  assert.equal((await find(registry, next))?.version('b-value'), 1)

  await server.kill()
  const away = registry.lookUp(last)
  assert.ok(away !== undefined && 'ready' in away)
  while (away.trouble === undefined) await systemClock.sleep(20)
  assert.equal(away.trouble, 'RegistryUnreachable')
  assert.equal((await find(registry, next))?.type, 'AVRO')
  await server.restart()
  assert.equal((await find(registry, last))?.version('a-value'), 1)
})
