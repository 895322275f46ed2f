import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field } from '../../../consumer/columns/schema.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { AvroSchemas } from '../../../consumer/decode/avro-reader.ts'
import { MAX_ELEMENTS } from '../../../consumer/decode/cel-value.ts'
import { HeaderIndex } from '../../../consumer/decode/header-index.ts'
import { Lifter } from '../../../consumer/decode/lifter.ts'
import { QualityCounts } from '../../../consumer/decode/quality-counts.ts'
import { createRuleSet } from '../../../consumer/decode/quality.ts'
import type { ValueReader } from '../../../consumer/decode/value-reader.ts'
import { RecordCursor } from '../../../consumer/record-batch.ts'
import type { SettledTopic } from '../../../crds/settled.ts'
import { otherType } from '../../fakes/avro.ts'
import { FakeRegistry, framed } from '../../fakes/schema-registry.ts'
import { pipelineOf } from '../../fakes/pipelines.ts'
import { dataBatch, type FakeRecord } from '../../fakes/records.ts'
import { Scheduler } from '../../simulation/scheduler.ts'

const PARTITION = { topic: 'trips', topicId: 'id', partition: 3 }
const COLUMNS = `
  - {name: distance, value: /d, type: Double}
  - {name: fare, value: /fare, type: Decimal, precision: 20, scale: 2}
  - {name: riders, value: /riders, type: Int}
  - {name: total, value: /total, type: Long}
  - {name: at, value: /at, type: Timestamp}
  - {name: day, value: /day, type: Date}
  - {name: card, value: /card, type: Boolean}
  - {name: type, value: /type}
  - {name: vendor, header: vendor}
  - {name: customer, key: true}`

interface Rule {
  readonly expression: string
  readonly weight?: number
}

function entryOf(rules: readonly Rule[], topic = `format: Json\n  columns:${COLUMNS}`): SettledTopic {
  const list = rules.map(({ expression, weight = 1 }, i) => JSON.stringify({ name: `rule_${i}`, expression, weight }))
  const [entry] = pipelineOf(
    `topics:\n- name: trips\n  table: bronze.trips\n  ${topic}\n  quality: {rules: [${list.join(', ')}]}`
  ).topics
  assert.ok(entry !== undefined)
  return entry
}

/** What the rules say of a record of an entry with lifted columns, or of the fields that a reader gives. */
function judge(rules: readonly Rule[], record: FakeRecord, reader?: ValueReader) {
  const inferred = 'format: Json\n  schema: {mode: Inferred}'
  const entry = entryOf(rules, reader === undefined ? undefined : inferred)
  const ruleSet = createRuleSet(entry)
  assert.ok(ruleSet !== undefined)
  const [cursor, headers, lifter] = [new RecordCursor(), new HeaderIndex(), new Lifter(entry)]
  cursor.reset(dataBatch(PARTITION, 41, [record]))
  assert.ok(cursor.next())
  headers.read(cursor)
  assert.equal(lifter.check(cursor, headers), undefined)
  const counts = new QualityCounts(ruleSet.names)
  ruleSet.evaluate(cursor, PARTITION, lifter.lifted, reader, counts)
  return { results: [...ruleSet.results], score: ruleSet.score, counts }
}

const GOOD: FakeRecord = {
  key: 'c-7',
  value: JSON.stringify({
    d: 1.5,
    fare: 12.25,
    riders: 2,
    total: 'TOTAL',
    at: '2024-05-06T07:08:09Z',
    day: '2024-05-06',
    card: true,
    type: 'tr\u00fcp "x"'
  }).replace('"TOTAL"', '9007199254740993'),
  headers: [['vendor', 'CMT']],
  timestampMs: 1_700_000_000_000
}

const holds = (expressions: readonly string[], record = GOOD) =>
  judge(
    expressions.map(expression => ({ expression })),
    record
  )

test('rules see lifted values in the types of their columns', () => {
  const expressions = [
    'distance > 1.0 && distance < 2.0',
    'fare == 12.25',
    'riders + 1 == 3',
    'total == 9007199254740993',
    'at == timestamp("2024-05-06T07:08:09Z")',
    'day == timestamp("2024-05-06T00:00:00Z")',
    'card',
    '__type__ == "trüp \\"x\\""',
    'vendor == "CMT"',
    'customer.startsWith("c-")'
  ]
  assert.deepEqual(
    holds(expressions).results,
    expressions.map(() => 1)
  )
})

test('rules see what metadata columns say of the record', () => {
  const expressions = [
    '_kafka_topic == "trips" && _kafka_partition == 3 && _kafka_offset == 41',
    '_kafka_timestamp == timestamp("2023-11-14T22:13:20Z")',
    '_kafka_key == b"c-7"',
    'value.contains("fare")'
  ]
  assert.deepEqual(
    holds(expressions).results,
    expressions.map(() => 1)
  )
  assert.deepEqual(
    holds(['_kafka_timestamp == null', '_kafka_key == null'], { ...GOOD, key: null, timestampMs: -1 }).results,
    [1, 1]
  )
})

test('a rule without an answer does not hold, and is counted as an error', () => {
  const { results, score, counts } = judge(
    [
      { expression: 'distance > 0.0' },
      { expression: 'distance == null' },
      { expression: 'riders > 3' },
      { expression: 'vendor.size() > 1', weight: 5 }
    ],
    { value: '{"riders": 1}' }
  )
  assert.deepEqual(results, [0, 1, 0, 0])
  assert.equal(score, 1 / 8)
  assert.deepEqual([...counts.passed], [0, 1, 0, 0])
  assert.deepEqual([...counts.errors], [1, 0, 0, 1])
  assert.equal(counts.rows, 1)
  assert.equal(counts.scoreSum, 1 / 8)
})

test('the score is the weight of the rules that hold over all weights', () => {
  const { random } = new Scheduler(11)
  for (let round = 0; round < 50; round++) {
    const rules = Array.from({ length: 1 + Math.floor(random() * 6) }, () => ({
      weight: Math.floor(random() * 5),
      answer: random() < 0.5
    }))
    if (!rules.some(({ weight }) => weight > 0)) continue
    const { results, score, counts } = judge(
      rules.map(({ weight, answer }) => ({ weight, expression: answer ? 'distance > 0.0' : 'distance < 0.0' })),
      GOOD
    )
    assert.deepEqual(
      results,
      rules.map(({ answer }) => (answer ? 1 : 0))
    )
    const sum = (held: typeof rules) => held.reduce((total, { weight }) => total + weight, 0)
    assert.equal(score, sum(rules.filter(({ answer }) => answer)) / sum(rules))
    assert.ok(score >= 0 && score <= 1)
    assert.equal(counts.scoreSum, score)
  }
})

function readerOf(fields: readonly (readonly [string, Field['type'], unknown])[]): ValueReader {
  const values = new Map(fields.map(([name, , value]) => [name, value]))
  return {
    value: name => values.get(name),
    fields: fields.map(([name, type]) => ({ name, type, nullable: true })),
    schemaVersion: 4,
    check: () => undefined,
    append: () => assert.fail('nothing is appended here')
  }
}

const fieldsHold = (expressions: readonly string[], reader: ValueReader) => {
  const { results, counts } = judge(
    expressions.map(expression => ({ expression })),
    { value: '{}' },
    reader
  )
  return { results, errors: [...counts.errors] }
}

test('rules see fields of values by their names, whatever their types', () => {
  const inner: Field[] = [
    { name: 'count', type: 'int', nullable: true },
    { name: 'gone', type: 'string', nullable: true }
  ]
  const reader = readerOf([
    ['i', 'int', 5],
    ['l', 'long', 9007199254740993n],
    ['d', 'double', 1.5],
    ['s', 'string', 'text'],
    ['type', 'string', 'trip'],
    ['b', 'boolean', true],
    ['t', 'timestamp', new Date(0)],
    ['micros', 'timestampNtz', 1_000_000n],
    ['day', 'date', 1],
    ['time', 'time', 5],
    ['price', { decimal: { precision: 9, scale: 2 } }, 1.25],
    ['none', 'string', null],
    ['trip', { struct: inner }, { count: 2 }],
    ['list_', { list: 'int', elementNullable: true }, [1, 2, null]],
    ['trips', { list: { struct: inner }, elementNullable: false }, [{ count: 1 }, { count: 2 }]],
    ['map', { map: { key: 'string', value: 'int', valueNullable: false } }, new Map([['a', 1]])]
  ])
  const expressions = [
    'i + 1 == 6',
    'l == 9007199254740993',
    'd > 1.0',
    's == "text" && __type__ == "trip"',
    'b',
    't == timestamp("1970-01-01T00:00:00Z") && micros == timestamp("1970-01-01T00:00:01Z")',
    'day == timestamp("1970-01-02T00:00:00Z")',
    'time + 1 == 6',
    'price == 1.25',
    'none == null && absent == null',
    'trip.count + 1 == 3 && !has(trip.gone)',
    'list_[0] + 1 == 2 && list_.exists(e, e == null) && size(list_) == 3',
    'trips.all(t, t.count + 0 > 0)',
    '__map__["a"] + 1 == 2 && "a" in __map__'
  ]
  assert.deepEqual(
    fieldsHold(expressions, reader).results,
    expressions.map(() => 1)
  )
})

test('a list of more elements than rules look at is an error for the rules that name it, and for no others', () => {
  const long = readerOf([
    ['long', { list: 'int', elementNullable: true }, Array.from({ length: MAX_ELEMENTS + 1 }, (_, i) => i)],
    [
      'deep',
      { list: { list: 'int', elementNullable: true }, elementNullable: true },
      Array.from({ length: 50 }, () => Array.from({ length: 50 }, () => 1))
    ],
    ['most', { list: 'int', elementNullable: true }, Array.from({ length: MAX_ELEMENTS }, (_, i) => i)]
  ])
  assert.deepEqual(fieldsHold(['size(long) > 0', 'deep.all(a, a.size() > 1)', 'size(most) == 1000'], long), {
    results: [0, 0, 1],
    errors: [1, 1, 0]
  })
})

test('rules see Avro records of any sink as they were written', () => {
  const schema = {
    type: 'record',
    name: 'trip',
    fields: [
      { name: 'riders', type: 'int' },
      { name: 'id', type: ['null', 'long'] },
      { name: 'distance', type: 'float' },
      { name: 'type', type: { type: 'enum', name: 'kind', symbols: ['street', 'app'] } },
      { name: 'pickup', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'day', type: { type: 'int', logicalType: 'date' } },
      { name: 'tip', type: ['null', 'double'] },
      { name: 'zone', type: { type: 'record', name: 'zone', fields: [{ name: 'number', type: 'int' }] } },
      { name: 'stops', type: { type: 'array', items: 'int' } },
      { name: 'notes', type: { type: 'map', values: 'string' } }
    ]
  }
  const value = {
    riders: 2,
    id: { long: 7n },
    distance: 1.5,
    type: 'app',
    pickup: 1_715_000_000_000_000n,
    day: 1,
    tip: null,
    zone: { number: 4 },
    stops: [1, 2],
    notes: { a: 'b' }
  }
  const expressions = [
    'riders + 1 == 3 && id - 7 == 0',
    'distance * 2.0 == 3.0',
    '__type__ in ["app"]',
    'pickup == timestamp("2024-05-06T12:53:20Z") && day == timestamp("1970-01-02T00:00:00Z")',
    'tip == null && surcharge == null',
    'zone.number + 1 == 5 && stops.all(s, s + 1 > 1) && notes["a"] == "b"'
  ]
  const registry = new FakeRegistry('trips-value')
  const id = registry.register(schema)
  for (const sink of ['delta', 'iceberg'] as const) {
    const reader = new AvroSchemas(registry, dialectOf(sink)).reader('trips')
    const cursor = new RecordCursor()
    cursor.reset(dataBatch(PARTITION, 0, [{ value: framed(id, otherType(schema).toBuffer(value)) }]))
    cursor.next()
    assert.equal(reader.check(cursor), undefined)
    assert.deepEqual(fieldsHold(expressions, reader), {
      results: expressions.map(() => 1),
      errors: expressions.map(() => 0)
    })
  }
})

test('an entry without rules has none', () => {
  const [entry] = pipelineOf('topics: [{name: trips, table: bronze.trips}]').topics
  assert.ok(entry !== undefined)
  assert.equal(createRuleSet(entry), undefined)
})
