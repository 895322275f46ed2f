import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold, literal, quoted } from '../../../../../consumer/sinks/snowflake/sql/identifier.ts'
import { tableObjects } from '../../../../../consumer/sinks/snowflake/sql/objects.ts'
import { snowflakeTable } from '../../../../../consumer/sinks/snowflake/sql/table.ts'
import { planTables } from '../../../../../consumer/columns/bronze.ts'
import { FatalError } from '../../../../../lib/errors.ts'
import { shop, sinkOf } from './tables.ts'

const HOSTILE = [
  '"',
  "'",
  '\\',
  ';',
  '--',
  '/*',
  '\n',
  '\0',
  ' ',
  '.',
  '@',
  '$',
  '?',
  'A',
  'z',
  '_',
  '7',
  'é',
  '\u{1F41F}',
  '\ud800'
]

/** Texts made of what could break out of a statement; always the same ones. */
function* hostileTexts(count: number): Generator<string> {
  let state = 12_345
  for (let made = 0; made < count; made++) {
    let text = ''
    for (let length = (state % 7) + 1; length > 0; length--) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      text += HOSTILE[state % HOSTILE.length] ?? ''
    }
    yield text
  }
}

/** The rest of a statement after one string literal, as Snowflake reads it. */
function afterLiteral(text: string): string {
  assert.equal(text[0], "'")
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === "'" && text[at + 1] === "'") at++
    else if (text[at] === "'") return text.slice(at + 1)
  }
  return assert.fail(`the literal ${JSON.stringify(text)} does not end`)
}

test('no text breaks out of a literal, and each stays itself', () => {
  for (const text of hostileTexts(2_000)) {
    const statement = `${literal(text)} REST`
    assert.equal(afterLiteral(statement), ' REST')
    assert.ok(!/[\n\r\0]/.test(statement), 'a statement stays on its lines')
    const inside = literal(text).slice(1, -1)
    const read = inside.replaceAll(/\\n|\\\\|''/g, part => (part === '\\n' ? '\n' : part === "''" ? "'" : '\\'))
    assert.equal(read, text.replaceAll('\0', ''))
  }
})

test('a name is either refused or letters, digits, _ and $ in upper case', () => {
  for (const text of hostileTexts(2_000)) {
    try {
      assert.match(fold(text, 'Table'), /^[A-Z_][A-Z0-9_$]*$/)
    } catch (error) {
      assert.ok(error instanceof FatalError)
      assert.equal(error.reason, 'InvalidName')
    }
  }
})

test('names in quotes end where they should', () => {
  for (const text of hostileTexts(500)) {
    const inside = quoted(text).slice(1, -1)
    assert.ok(!inside.replaceAll('""', '').includes('"'))
  }
  assert.equal(quoted('BRONZE', 'ORDERS'), '"BRONZE"."ORDERS"')
})

test('tables lie in the schema they name, or in the default one', () => {
  const names = { database: 'shop', schema: 'public' }
  assert.equal(tableObjects(names, 'orders', undefined).tableRef, '"SHOP"."PUBLIC"."ORDERS"')
  const own = tableObjects(names, 'Bronze.Orders', 'bronze.orders_dlq')
  assert.equal(own.tableRef, '"SHOP"."BRONZE"."ORDERS"')
  assert.equal(own.deadLetterRef, '"SHOP"."BRONZE"."ORDERS_DLQ"')
  assert.equal(own.stageRef, '@"SHOP"."BRONZE"."ORDERS_BRONZE_STAGE"')
})

test('tables of other databases, and names too long for what belongs to a table, are refused', () => {
  const names = { database: 'shop', schema: 'public' }
  for (const table of ['a.b.c', `t${'x'.repeat(245)}`, '1orders', 'or-ders'])
    assert.throws(() => tableObjects(names, table, undefined), { reason: 'InvalidName' })
})

test('two columns of one name, and cluster keys that the table lacks, are refused', () => {
  const planned = (spec: string, sink = '') => {
    const pipeline = shop(spec, sink)
    const [plan] = planTables(pipeline)
    assert.ok(plan !== undefined)
    return { plan, pipeline, snowflake: sinkOf(pipeline) }
  }
  const { plan, pipeline, snowflake } = planned('topics: [{name: orders, table: orders, format: Json}]')
  const twice = {
    ...plan,
    schema: {
      ...plan.schema,
      fields: [...plan.schema.fields, { name: 'VALUE', type: 'string', nullable: true } as const]
    }
  }
  assert.throws(() => snowflakeTable(twice, pipeline, snowflake), { reason: 'InvalidColumnName' })
  const clustered = { ...snowflake, clusterBy: ['nowhere'] }
  assert.throws(() => snowflakeTable(plan, pipeline, clustered), { reason: 'InvalidClusterKey' })
})
