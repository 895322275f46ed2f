import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnType, Field, TableSchema } from '../../../../consumer/columns/schema.ts'
import { createRequest } from '../../../../consumer/sinks/iceberg/create.ts'
import { planEvolution } from '../../../../consumer/sinks/iceberg/evolution.ts'
import { fieldIds, leafFields } from '../../../../consumer/sinks/iceberg/field-paths.ts'
import { currentSchema, type TableMetadata } from '../../../../consumer/sinks/iceberg/metadata.ts'
import { parseMetadata } from '../../../../consumer/sinks/iceberg/parse-metadata.ts'
import { tableColumns } from '../../../../consumer/sinks/iceberg/schema.ts'
import { parseJson, stringifyJson } from '../../../../consumer/sinks/json.ts'
import { applyChange, newTable, type CreateJson, type TableJson } from '../../../fakes/iceberg-metadata.ts'
import { UUID } from './lineage.ts'

const schemaOf = (fields: readonly Field[]): TableSchema => ({ fields, partitionBy: [] })
const field = (name: string, type: ColumnType, nullable = true): Field => ({ name, type, nullable })
const decimal = (precision: number, scale = 2): ColumnType => ({ decimal: { precision, scale } })

function tableOf(fields: readonly Field[]): TableJson {
  const request = createRequest({
    table: 'db.t',
    name: 't',
    schema: schemaOf(fields),
    location: undefined,
    formatVersion: 2
  })
  return newTable(parseJson(stringifyJson(request)) as CreateJson, { uuid: UUID, location: 's3://b/t', nowMs: 1 })
}

const metadataOf = (json: TableJson): TableMetadata => parseMetadata(structuredClone(json), 'db.t')

/** Evolves until nothing is left to do; gives the reason when the table cannot. */
function evolve(json: TableJson, fields: readonly Field[]): string | undefined {
  const plan = planEvolution(metadataOf(json), schemaOf(fields), 'db.t')
  if (plan.status === 'moved') return plan.reason
  if (plan.status === 'change') assert.ok(applyChange(json, plan.change, 1))
  assert.equal(planEvolution(metadataOf(json), schemaOf(fields), 'db.t').status, 'current')
  return undefined
}

const typesOf = (json: TableJson) =>
  Object.fromEntries(tableColumns(currentSchema(metadataOf(json))).map(({ name, type }) => [name, type]))

test('a table that was just created takes what it was created for', () => {
  const fields = [
    field('a', 'timestamp'),
    field('b', { list: { struct: [field('x', 'uuid', false)] }, elementNullable: false }),
    field('c', { map: { key: 'string', value: { struct: [field('y', decimal(9))] }, valueNullable: true } }),
    field('d', { fixed: 16 }, false)
  ]
  const json = tableOf(fields)
  assert.equal(planEvolution(metadataOf(json), schemaOf(fields), 'db.t').status, 'current')
  assert.deepEqual(
    tableColumns(currentSchema(metadataOf(json))),
    fields.map(({ name, type, nullable }) => ({ name, type, nullable }))
  )
})

test('missing columns are added at the end as optional, with ids that were never used', () => {
  const json = tableOf([field('a', 'long')])
  json['last-column-id'] = 40
  assert.equal(
    evolve(json, [
      field('b', { struct: [field('x', 'int', false)] }, false),
      field('a', 'long'),
      field('c', { list: 'date', elementNullable: true })
    ]),
    undefined
  )
  const { fields } = currentSchema(metadataOf(json))
  assert.deepEqual(
    fields.map(({ name, id, required }) => [name, id, required]),
    [
      ['a', 1, false],
      ['b', 41, false],
      ['c', 42, false]
    ]
  )
  assert.equal(json['last-column-id'], 44)
  const ids = fieldIds(
    currentSchema(metadataOf(json)),
    schemaOf([field('C', { list: 'date', elementNullable: true }), field('b', { struct: [field('x', 'int')] })])
  )
  assert.deepEqual(
    [...ids],
    [
      ['C', 42],
      ['C.list.element', 44],
      ['b', 41],
      ['b.x', 43]
    ]
  )
})

test('types are widened as the specification allows, within structs, lists and maps too; keys are not', () => {
  const cases: readonly [ColumnType, ColumnType, ColumnType | undefined][] = [
    ['int', 'long', 'long'],
    ['long', 'int', 'long'],
    ['float', 'double', 'double'],
    ['double', 'float', 'double'],
    [decimal(9), decimal(20), decimal(20)],
    [decimal(20), decimal(9), decimal(20)],
    [decimal(9, 2), decimal(20, 3), undefined],
    ['int', 'string', undefined],
    ['date', 'timestamp', undefined],
    ['timestampNtz', 'timestamp', undefined],
    ['long', 'double', undefined],
    [{ fixed: 4 }, { fixed: 5 }, undefined],
    [{ fixed: 4 }, decimal(9), undefined],
    ['string', { struct: [] }, undefined]
  ]
  for (const [theirs, ours, expected] of cases) {
    const wrap: readonly ((type: ColumnType) => ColumnType)[] = [
      type => type,
      type => ({ struct: [field('x', type)] }),
      type => ({ list: type, elementNullable: true }),
      type => ({ map: { key: 'string', value: type, valueNullable: true } })
    ]
    for (const around of wrap) {
      const json = tableOf([field('a', around(theirs))])
      const reason = evolve(json, [field('a', around(ours))])
      if (expected === undefined) assert.match(reason ?? '', /db\.t has column a/, JSON.stringify([theirs, ours]))
      else assert.deepEqual(typesOf(json)['a'], around(expected))
    }
    const keyed = (key: ColumnType): ColumnType => ({ map: { key, value: 'int', valueNullable: true } })
    if (theirs !== ours && expected === ours)
      assert.match(evolve(tableOf([field('a', keyed(theirs))]), [field('a', keyed(ours))]) ?? '', /keys of a/)
  }
})

test('what may be null is made optional, but for identifiers', () => {
  const json = tableOf([field('a', 'int', false), field('b', { list: 'int', elementNullable: false }, false)])
  evolve(json, [field('a', 'long', true), field('b', { list: 'int', elementNullable: true }, false)])
  assert.deepEqual(tableColumns(currentSchema(metadataOf(json))), [
    { name: 'a', type: 'long', nullable: true },
    { name: 'b', type: { list: 'int', elementNullable: true }, nullable: false }
  ])
  const identified = tableOf([field('a', 'int', false)])
  identified.schemas = identified.schemas.map(each => ({ ...each, 'identifier-field-ids': [1] }))
  assert.match(evolve(identified, [field('a', 'int', true)]) ?? '', /identifier column a/)
})

test('a column that must be written and is not, or has a default of its own for writers, is refused by name', () => {
  const withField = (more: object) => {
    const json = tableOf([field('a', 'int'), field('need', 'int')])
    json.schemas = json.schemas.map(each => ({
      ...each,
      fields: each.fields.map(one => (one.name === 'need' ? { ...one, ...more } : one))
    }))
    return () => planEvolution(metadataOf(json), schemaOf([field('A', 'int')]), 'db.t')
  }
  assert.throws(withField({ required: true }), /IncompatibleTable|requires column need/)
  assert.throws(withField({ 'write-default': 5 }), /write default for column need/)
  assert.equal(withField({ required: true, 'initial-default': 5, 'write-default': 5 })().status, 'current')
  assert.equal(withField({})().status, 'current')
})

test('a struct that requires a field which we do not write takes none of ours', () => {
  const struct = (...names: string[]): ColumnType => ({
    struct: names.map(name => field(name, 'int', name !== 'need'))
  })
  const json = tableOf([field('a', struct('need', 'x'))])
  assert.match(evolve(json, [field('a', struct('x'))]) ?? '', /requires a\.need/)
  assert.equal(evolve(json, [field('a', struct('need', 'y'))]), undefined)
})

test('what is unknown of a field survives its evolution', () => {
  const json = tableOf([field('a', 'int')])
  json.schemas = json.schemas.map(each => ({
    ...each,
    fields: each.fields.map(one => ({ ...one, doc: 'kept', 'initial-default': 3 }))
  }))
  evolve(json, [field('a', 'long'), { ...field('b', 'int'), comment: 'new' }])
  assert.deepEqual(currentSchema(metadataOf(json)).fields, [
    { id: 1, name: 'a', required: false, type: 'long', doc: 'kept', 'initial-default': 3 },
    { id: 2, name: 'b', required: false, type: 'int', doc: 'new' }
  ])
})

test('a type that we do not write takes none of ours', () => {
  const json = tableOf([field('a', 'int')])
  json.schemas = json.schemas.map(each => ({ ...each, fields: each.fields.map(one => ({ ...one, type: 'variant' })) }))
  assert.match(evolve(json, [field('a', 'string')]) ?? '', /column a as variant where string is written/)
  assert.deepEqual(typesOf(json), { a: undefined })
})

test('many processes that see new fields at once agree: no column twice, no id twice, all widest', () => {
  let seed = 7
  const random = (below: number) => ((seed = (seed * 48_271) % 0x7fff_ffff), seed % below)
  const NAMES = ['a', 'B', 'c', 'd', 'e']
  const TYPES: readonly ColumnType[] = ['int', 'long']
  for (let round = 0; round < 200; round++) {
    const json = tableOf([field('a', 'int')])
    const waiting = Array.from({ length: 6 }, () =>
      NAMES.filter(() => random(2) === 0).map(name => {
        const inner = TYPES[random(2)] as ColumnType
        const spelled = random(2) === 0 ? name.toUpperCase() : name
        return field(
          spelled,
          name === 'e' ? { struct: [field(random(2) === 0 ? 'x' : 'y', inner)] } : inner,
          random(2) === 0
        )
      })
    )
    // Everyone has planned on what it last saw; whoever comes too late plans again.
    const plans = waiting.map(fields => ({ fields, seen: metadataOf(json) }))
    for (let tries = 0; plans.length > 0; tries++) {
      assert.ok(tries < 100)
      const at = random(plans.length)
      const { fields, seen } = plans[at] as (typeof plans)[number]
      const plan = planEvolution(seen, schemaOf(fields), 'db.t')
      assert.notEqual(plan.status, 'moved')
      if (plan.status === 'change' && !applyChange(json, plan.change, 1)) plans[at] = { fields, seen: metadataOf(json) }
      else plans.splice(at, 1)
    }
    const schema = currentSchema(metadataOf(json))
    const names = schema.fields.map(({ name }) => name.toLowerCase())
    assert.equal(new Set(names).size, names.length)
    for (const fields of waiting)
      assert.equal(planEvolution(metadataOf(json), schemaOf(fields), 'db.t').status, 'current')
    for (const fields of waiting) assert.equal(leafFields(schema, schemaOf(fields)).length, fields.length)
  }
})
