import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { JsonSchemas } from '../../../consumer/decode/json-schema-reader.ts'
import { need } from '../../servers/need.ts'
import { sharedRegistry } from '../../servers/registry.ts'
import { checkFramed, openAt } from './lookups.ts'

test('schemas that refer to each other, and their versions, come from a registry', need('registry'), async t => {
  const server = await sharedRegistry()
  const topic = `clicks-${randomUUID()}`
  const $schema = 'http://json-schema.org/draft-07/schema#'
  const place = { $schema, type: 'object', properties: { day: { type: 'string', format: 'date' } } }
  await server.register(`${topic}-place`, place, { schemaType: 'JSON' })
  const references = [{ name: 'place.json', subject: `${topic}-place`, version: 1 }]
  const click = { $schema, type: 'object', properties: { id: { type: 'integer' }, place: { $ref: 'place.json' } } }
  const id = await server.register(`${topic}-value`, click, { schemaType: 'JSON', references })
  const registry = openAt(t, server.url)
  const reader = new JsonSchemas(registry, dialectOf('iceberg')).reader({ topic, known: () => [] })
  const value = Buffer.from('{"id": 5, "place": {"day": "2024-02-29"}, "more": true}')
  await checkFramed(reader, topic, id, value)
  const day = [{ name: 'day', type: 'date', nullable: true }]
  assert.deepEqual(
    reader.fields.map(({ name, type }) => [name, type]),
    [
      ['id', 'long'],
      ['place', { struct: day }],
      ['more', 'boolean']
    ]
  )
  assert.deepEqual([reader.value('id'), reader.value('more'), reader.schemaVersion], [5, true, 1])
})
