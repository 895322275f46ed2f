import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { JsonSchemas } from '../../../consumer/decode/json-schema-reader.ts'
import { randomFrom } from '../../chaos/random.ts'
import { JsonTable } from '../../fakes/json-table.ts'
import { FakeRegistry, framed } from '../../fakes/schema-registry.ts'

const ORDER = {
  properties: {
    id: { type: 'integer' },
    day: { type: 'string', format: 'date' },
    any: { type: ['string', 'number'] },
    lines: {
      type: 'array',
      items: { properties: { sku: { type: 'string' }, due: { type: 'string', format: 'date' } } }
    }
  }
}

test('random values are rows or are refused, and rows have what the values have', async () => {
  const registry = new FakeRegistry()
  const id = registry.register(ORDER, { type: 'JSON' })
  for (let seed = 0; seed < 40; seed++) {
    const random = randomFrom(seed, 21)
    const pick = (...of: readonly unknown[]) => of[Math.floor(random() * of.length)]
    const schemas = new JsonSchemas(registry, dialectOf('iceberg'))
    const rule = seed % 2 === 0 ? 'DeadLetter' : 'NewColumn'
    const table = new JsonTable(rule, [], known => schemas.reader({ topic: 'orders', known }))
    const kept: Record<string, unknown>[] = []
    for (let left = 30; left > 0; left--) {
      const made = {
        id: pick(1, 2, null, 'x'),
        day: pick('2024-02-29', '2024-13-01', undefined, 7),
        any: pick('a', 5, null, { b: 1 }, [true]),
        lines: pick([], [{ sku: 'a' }, { due: '2024-02-29' }], [{ due: 'never' }], undefined),
        other: pick(1, undefined, { c: 'x' })
      }
      if (table.add(framed(id, Buffer.from(JSON.stringify(made)))) === undefined) kept.push(made)
    }
    const rows = await table.rows()
    assert.equal(rows.length, kept.length)
    for (const [index, made] of kept.entries()) {
      const { any } = made
      assert.equal(rows[index]?.['any'] ?? null, typeof any === 'string' || any === null ? any : JSON.stringify(any))
      const names = Object.entries(made).filter(
        ([, each]) => each !== undefined && each !== null && JSON.stringify(each) !== '[]'
      )
      for (const [name] of names)
        assert.ok(
          Object.entries(rows[index] ?? {}).some(([column, each]) => column.startsWith(name) && each !== null),
          `seed ${seed}: ${name}`
        )
    }
  }
})
