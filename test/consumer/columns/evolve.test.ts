import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folded, MAX_COLUMNS, mergeFields, type Merge, type MergeOptions } from '../../../consumer/columns/evolve.ts'
import { isNested, type ColumnType, type Field } from '../../../consumer/columns/schema.ts'
import { randomFrom } from '../../chaos/random.ts'
import { randomSchema } from '../../fakes/columns.ts'

const RESERVED = new Set(['_kafka_offset'])
const DEAD_LETTER: MergeOptions = { onIncompatible: 'DeadLetter', reserved: RESERVED, canWiden: true }
const NEW_COLUMN: MergeOptions = { ...DEAD_LETTER, onIncompatible: 'NewColumn' }

const field = (name: string, type: ColumnType, nullable = true): Field => ({ name, type, nullable })
const decimal = (precision: number, scale: number): ColumnType => ({ decimal: { precision, scale } })
const shown = ({ fields }: Merge) => Object.fromEntries(fields.map(({ name, type }) => [name, type]))
const targets = ({ bindings }: Merge) => Object.fromEntries(bindings.map(({ source, target }) => [source, target]))

/** The table after the columns of a merge are in it. */
function after(table: readonly Field[], { fields }: Merge): readonly Field[] {
  const merged = new Map(fields.map(each => [each.name, each]))
  const kept = table.map(column => merged.get(column.name) ?? column)
  const names = new Set(table.map(({ name }) => name))
  return [...kept, ...fields.filter(({ name }) => !names.has(name))]
}

test('a column takes what it holds, and becomes as wide as what comes where formats allow it', () => {
  const cases: readonly (readonly [current: ColumnType, incoming: ColumnType, merged: ColumnType | undefined])[] = [
    ['int', 'int', 'int'],
    ['int', 'long', 'long'],
    ['long', 'int', 'long'],
    ['float', 'double', 'double'],
    ['double', 'float', 'double'],
    [decimal(9, 2), decimal(12, 2), decimal(12, 2)],
    [decimal(12, 2), decimal(9, 2), decimal(12, 2)],
    [decimal(12, 2), decimal(12, 3), undefined],
    [{ fixed: 4 }, { fixed: 4 }, { fixed: 4 }],
    [{ fixed: 4 }, { fixed: 5 }, undefined],
    ['int', 'double', undefined],
    ['long', 'string', undefined],
    ['date', 'timestamp', undefined],
    ['timestamp', 'timestampNtz', undefined],
    [{ list: 'int', elementNullable: false }, { list: 'long', elementNullable: false }, list('long')],
    [list('int'), 'int', undefined],
    [list('int'), list('string'), undefined],
    [map('string', 'int'), map('string', 'long'), map('string', 'long')],
    [map('int', 'int'), map('long', 'int'), undefined],
    [map('long', 'int'), map('int', 'int'), map('long', 'int')],
    ['string', { struct: [field('a', 'int')] }, undefined],
    [
      { struct: [field('a', 'int', false), field('b', 'string', false)] },
      { struct: [field('A', 'long', false), field('c', 'date', false)] },
      { struct: [field('a', 'long'), field('b', 'string'), field('c', 'date')] }
    ]
  ]
  for (const [current, incoming, merged] of cases) {
    const merge = mergeFields([field('x', current, false)], [field('x', incoming, false)], DEAD_LETTER)
    const text = `${JSON.stringify(current)} and ${JSON.stringify(incoming)}`
    assert.deepEqual(merge.fields, merged === undefined ? [] : [field('x', merged)], text)
    assert.equal(merge.conflicts.length, merged === undefined ? 1 : 0, text)
  }
})

test('where a sink cannot widen, only what the column holds already is taken', () => {
  const options = { ...DEAD_LETTER, canWiden: false }
  assert.deepEqual(shown(mergeFields([field('x', 'long')], [field('x', 'int')], options)), { x: 'long' })
  const { conflicts } = mergeFields([field('x', 'int')], [field('x', 'long')], options)
  assert.deepEqual(conflicts, ['x is long, which the column of its name (int) cannot take'])
})

test('what no column of its name can take gets one of its own, named after its type', () => {
  const table = [field('amount', 'long'), field('y', 'string'), field('Y_struct', 'int'), field('z', list('int'))]
  const incoming = [
    field('amount', 'string'),
    field('_kafka_offset', 'long'),
    field('y', { struct: [field('a', 'int')] }),
    field('z', list('string'))
  ]
  const merge = mergeFields(table, incoming, NEW_COLUMN)
  assert.deepEqual(targets(merge), {
    amount: 'amount_string',
    _kafka_offset: '_kafka_offset_long',
    y: 'y_struct_2',
    z: 'z_list'
  })
  assert.deepEqual(merge.conflicts, [])
  const again = mergeFields(after(table, merge), incoming, NEW_COLUMN)
  assert.deepEqual(again, merge)
})

test('a nested field that changed its type moves within its struct, also below lists and maps', () => {
  const inner = (type: ColumnType): ColumnType => map('string', list({ struct: [field('v', type), field('w', 'int')] }))
  const merge = mergeFields([field('m', inner('int'))], [field('m', inner('string'))], NEW_COLUMN)
  const struct = { struct: [field('v', 'int'), field('w', 'int'), field('v_string', 'string')] }
  assert.deepEqual(shown(merge), { m: map('string', list(struct)) })
  assert.deepEqual(merge.bindings, [
    {
      source: 'm',
      target: 'm',
      inner: [
        { source: 'v', target: 'v_string' },
        { source: 'w', target: 'w' }
      ]
    }
  ])
  const refused = mergeFields([field('m', inner('int'))], [field('m', inner('string'))], DEAD_LETTER)
  assert.deepEqual(refused.conflicts, ['m.v is string, which the column of its name (int) cannot take'])
})

test('two fields never share a column: who has its name keeps it, whatever the order', () => {
  const table = [field('x', 'long'), field('x_string', 'string')]
  const [x, own] = [field('x', 'string'), field('x_string', 'string')]
  assert.deepEqual(targets(mergeFields(table, [x, own], NEW_COLUMN)), { x: 'x_string_2', x_string: 'x_string' })
  assert.deepEqual(targets(mergeFields(table, [own, x], NEW_COLUMN)), { x: 'x_string_2', x_string: 'x_string' })
  assert.deepEqual(targets(mergeFields([], [field('Id', 'int'), field('ID', 'int')], NEW_COLUMN)), {
    Id: 'Id',
    ID: 'ID_int'
  })
  assert.deepEqual(mergeFields([], [field('Id', 'int'), field('ID', 'int')], DEAD_LETTER).conflicts, [
    'ID has the name of another column'
  ])
})

test('a column spelled otherwise is the same one; one of a type we cannot write is none', () => {
  const table = [field('Name', 'string'), { name: 'shape', type: undefined, nullable: true }]
  const merge = mergeFields(table, [field('NAME', 'string'), field('shape', 'string')], NEW_COLUMN)
  assert.deepEqual(targets(merge), { NAME: 'Name', shape: 'shape_string' })
})

test('more columns than a table may have are a conflict under every rule; those it has stay usable', () => {
  const many = Array.from({ length: MAX_COLUMNS }, (_, index) => field(`c${index}`, 'int'))
  for (const options of [DEAD_LETTER, NEW_COLUMN]) {
    assert.deepEqual(mergeFields([], many, options).conflicts, [])
    assert.deepEqual(mergeFields(many, many, options).conflicts, [])
    const { conflicts } = mergeFields(many, [field('one', 'int')], options)
    assert.deepEqual(conflicts, ['one would be one column too many (1000 are the most)'])
  }
  const full = [...many.slice(1), field('c1_string', 'string')]
  assert.deepEqual(mergeFields(full, [field('c1', 'string')], NEW_COLUMN).conflicts, [])
})

test('names that columns cannot have, and structs of nothing, are conflicts', () => {
  assert.equal(mergeFields([], [field('a.b', 'int')], NEW_COLUMN).conflicts.length, 1)
  assert.equal(mergeFields([], [field('e', { struct: [] })], NEW_COLUMN).conflicts.length, 1)
})

test('random schemas: merging is idempotent, loses no field, keeps names unique, and agrees in any order', () => {
  let disagreements = 0
  for (let seed = 0; seed < 400; seed++) {
    const random = randomFrom(seed, 11)
    const base = randomSchema(random).fields
    const schemas = [0, 1, 2].map(() => (seed % 2 === 0 ? randomSchema(random).fields : variant(base, random)))
    for (const options of [DEAD_LETTER, NEW_COLUMN]) {
      let table: readonly Field[] = []
      let isCalm = true
      for (const fields of schemas) {
        const merge = mergeFields(table, fields, options)
        assert.deepEqual(mergeFields(table, fields, options), merge, 'it is deterministic')
        assert.equal(merge.bindings.length + topLevel(merge), fields.length, 'each field lands or is a conflict')
        assert.ok(options === DEAD_LETTER || merge.conflicts.length === 0, 'NewColumn finds every field a column')
        isCalm &&= merge.conflicts.length === 0
        if (merge.conflicts.length > 0) continue
        for (const column of table) assert.ok(holds(after(table, merge), [column]), 'no column loses anything')
        table = after(table, merge)
        assert.deepEqual(mergeFields(table, fields, options), merge, `seed ${seed}: it is idempotent`)
        uniqueNames(table)
      }
      if (options === NEW_COLUMN || !isCalm) continue
      const reversed = schemas.toReversed().reduce<readonly Field[]>((columns, fields) => {
        return after(columns, mergeFields(columns, fields, options))
      }, [])
      assert.ok(holds(table, reversed) && holds(reversed, table), `seed ${seed}: the order does not matter`)
      disagreements++
    }
  }
  assert.ok(disagreements > 20, 'enough of the schemas go together')
})

test('pods that meet schemas in another order agree once they have seen each other’s table', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomFrom(seed, 12)
    const [a, b] = [randomSchema(random).fields, randomSchema(random).fields]
    // The first pod committed what it saw; the second one, refused, merges again.
    const table = after([], mergeFields([], a, NEW_COLUMN))
    const second = after(table, mergeFields(table, b, NEW_COLUMN))
    const first = after(table, mergeFields(table, b, NEW_COLUMN))
    assert.deepEqual(first, second)
    assert.deepEqual(after(second, mergeFields(second, a, NEW_COLUMN)), second, `seed ${seed}: nothing is added again`)
  }
})

/** The same fields, some gone, some new, some numbers of other width. */
function variant(fields: readonly Field[], random: () => number): readonly Field[] {
  const kept = fields.filter(() => random() < 0.7).map(each => ({ ...each, type: otherWidth(each.type, random) }))
  return random() < 0.5 ? kept : [...kept, field(`g${Math.floor(random() * 3)}`, random() < 0.5 ? 'float' : 'double')]
}

function otherWidth(type: ColumnType, random: () => number): ColumnType {
  if (type === 'int' || type === 'long') return random() < 0.5 ? 'int' : 'long'
  if (typeof type === 'string') return type
  if ('decimal' in type) return { decimal: { ...type.decimal, precision: Math.min(38, type.decimal.precision + 1) } }
  if ('struct' in type) return { struct: [...variant(type.struct, random), field('always', 'boolean')] }
  return 'list' in type ? { ...type, list: otherWidth(type.list, random) } : type
}

/** Conflicts of fields that did not land at all; nested ones leave theirs in place. */
const topLevel = ({ conflicts }: Merge): number =>
  conflicts.filter(text => !text.split(' ', 1)[0]?.includes('.')).length

function uniqueNames(fields: readonly Field[]): void {
  assert.equal(new Set(fields.map(({ name }) => folded(name))).size, fields.length)
  for (const { type } of fields) if (isNested(type) && 'struct' in type) uniqueNames(type.struct)
}

/** Whether every part of `parts` is in `whole`, as wide or wider. */
function holds(whole: readonly Field[], parts: readonly Field[]): boolean {
  const { conflicts, fields } = mergeFields(whole, parts, DEAD_LETTER)
  return (
    conflicts.length === 0 &&
    fields.every(merged =>
      sameParts(
        merged,
        whole.find(({ name }) => name === merged.name)
      )
    )
  )
}

/** The order of a struct's fields says nothing. */
const sameParts = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, sorted(item)] as const)
      .sort(([x], [y]) => (x < y ? -1 : 1))
  )
}

function list(type: ColumnType): ColumnType {
  return { list: type, elementNullable: true }
}

function map(key: ColumnType, value: ColumnType): ColumnType {
  return { map: { key, value, valueNullable: true } }
}

test('a column of JSON takes any field, and no other column takes JSON', () => {
  const json = { ...field('address', 'string'), isJson: true as const }
  for (const incoming of ['long', 'string', list('int')] as const) {
    const merge = mergeFields([json], [field('Address', incoming)], DEAD_LETTER)
    assert.deepEqual(merge.fields, [json])
    assert.deepEqual(merge.bindings, [{ source: 'Address', target: 'address' }])
  }
  assert.equal(mergeFields([field('address', 'string')], [json], DEAD_LETTER).conflicts.length, 1)
  const moved = mergeFields([field('address', 'string')], [json], NEW_COLUMN)
  assert.deepEqual(moved.fields, [{ ...json, name: 'address_variant' }])
})

test('a column of whole numbers takes those of 64 bits and decimals without scale, until it is used as one of them', () => {
  const whole = { ...field('n', 'long'), isWhole: true as const }
  assert.deepEqual(shown(mergeFields([whole], [field('n', 'long')], DEAD_LETTER)), { n: 'long' })
  assert.deepEqual(shown(mergeFields([whole], [field('n', decimal(38, 0))], DEAD_LETTER)), { n: decimal(38, 0) })
  assert.equal(mergeFields([whole], [field('n', decimal(38, 2))], DEAD_LETTER).conflicts.length, 1)
  assert.equal(mergeFields([field('n', 'long')], [field('n', decimal(38, 0))], DEAD_LETTER).conflicts.length, 1)
})

test('where names fold, columns have small letters at the top, and fields that fold alike are of one name', () => {
  const folding = { ...NEW_COLUMN, foldsNames: true }
  const inner = { struct: [field('SubTotal', 'int')] }
  const merge = mergeFields([], [field('userId', 'long'), field('USERID', 'string'), field('Größe', inner)], folding)
  assert.deepEqual(shown(merge), { userid: 'long', userid_string: 'string', grösse: inner })
  assert.deepEqual(targets(merge), { userId: 'userid', USERID: 'userid_string', Größe: 'grösse' })
  // As the table tells it later.
  const again = mergeFields(merge.fields, [field('userId', 'long'), field('Größe', inner)], folding)
  assert.deepEqual(targets(again), { userId: 'userid', Größe: 'grösse' })
  assert.equal(
    mergeFields([], [field('a', 'int'), field('A', 'int')], { ...folding, onIncompatible: 'DeadLetter' }).conflicts
      .length,
    1
  )
})
