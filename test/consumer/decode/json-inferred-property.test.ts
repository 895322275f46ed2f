import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Binding } from '../../../consumer/columns/binding.ts'
import { folded } from '../../../consumer/columns/evolve.ts'
import type { ColumnType, Field } from '../../../consumer/columns/schema.ts'
import { columnNameOf } from '../../../consumer/decode/json-names.ts'
import { randomFrom } from '../../chaos/random.ts'
import { mutated, randomDocument, type Json } from '../../fakes/json.ts'
import { JsonTable } from '../../fakes/json-table.ts'

type JsonObject = Record<string, Json>

/** What was added, with what the record's members were bound to. */
interface Added {
  readonly document: JsonObject
  readonly bindings: readonly Binding[]
  readonly text: string
}

test('what JSON.parse sees of each record is in its row, whatever came before', async () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = randomFrom(seed, 3)
    const table = new JsonTable('NewColumn')
    const added: Added[] = []
    for (let count = 0; count < 12; count++) {
      const document = randomObject(random)
      const text = JSON.stringify(document, null, count % 3)
      const found = table.add(text)
      assert.equal(found, hasTwins(document) ? 'DuplicateKey' : undefined, `seed ${seed}: ${text}`)
      if (found === undefined) added.push({ document, bindings: table.bindings, text })
    }
    const rows = await table.rows()
    assert.equal(rows.length, added.length)
    for (const [index, each] of added.entries()) checkRow(rows[index] ?? {}, each, table.columns, `seed ${seed}`)
  }
})

test('under the rule DeadLetter records are rows or conflict, and all rows are read back', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomFrom(seed, 4)
    const table = new JsonTable('DeadLetter')
    const added: Added[] = []
    for (let count = 0; count < 20; count++) {
      const document = randomObject(random)
      const before = table.columns
      const found = table.add(JSON.stringify(document))
      if (found === undefined) added.push({ document, bindings: table.bindings, text: JSON.stringify(document) })
      else assert.equal(table.columns, before, 'a dead letter leaves the table as it is')
    }
    const rows = await table.rows()
    for (const [index, each] of added.entries()) checkRow(rows[index] ?? {}, each, table.columns, `seed ${seed}`)
  }
})

test('mutated documents are rows if they are JSON, else dead letters that say why', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = randomFrom(seed, 5)
    const table = new JsonTable('NewColumn')
    const added: Added[] = []
    for (let count = 0; count < 25; count++) {
      const bytes = mutated(Buffer.from(JSON.stringify(randomObject(random))), random)
      const found = table.add(bytes)
      const document = parsed(bytes)
      if (document === undefined) assert.ok(found === 'InvalidJson' || found === 'InvalidUtf8', `${seed}: ${found}`)
      else if (typeof document !== 'object' || document === null || Array.isArray(document)) {
        assert.equal(found, 'NotAnObject')
      } else if (found === undefined) added.push({ document, bindings: table.bindings, text: bytes.toString() })
      else assert.equal(found, 'DuplicateKey', `seed ${seed}: ${bytes.toString('latin1')}`)
    }
    const rows = await table.rows()
    assert.equal(rows.length, added.length)
    for (const [index, each] of added.entries()) checkRow(rows[index] ?? {}, each, table.columns, `seed ${seed}`)
  }
})

function checkRow(
  row: Record<string, unknown>,
  { document, bindings, text }: Added,
  columns: readonly Field[],
  what: string
): void {
  const expected = new Map<string, readonly [Json, Binding]>()
  for (const [key, value] of Object.entries(document)) {
    const binding = bindingOf(bindings, key)
    if (binding === undefined) assert.ok(!saysSomething(value), `${what}: ${key} of ${text} is nowhere`)
    else expected.set(binding.target, [value, binding])
  }
  for (const { name, type } of columns) {
    const [value, binding] = expected.get(name) ?? [null, undefined]
    assert.ok(isSame(row[name], value, type, binding?.inner), `${what}: ${name} of ${text} is ${String(row[name])}`)
  }
}

function isSame(actual: unknown, value: Json, type: ColumnType, inner: readonly Binding[] | undefined): boolean {
  // A struct of an earlier row group lacks the fields that came later.
  if (actual === null || actual === undefined) return !saysSomething(value)
  if (type === 'string') {
    if (typeof value === 'string') return actual === value.toWellFormed()
    return JSON.stringify(JSON.parse(actual as string)) === JSON.stringify(value)
  }
  if (typeof type === 'string') return type === 'long' ? actual === BigInt(value as number) : actual === value
  if ('list' in type) {
    const items = actual as unknown[]
    const isList = Array.isArray(value) && value.length === items.length
    return isList && value.every((item, index) => isSame(items[index], item, type.list, inner))
  }
  if (!('struct' in type) || value === null || typeof value !== 'object' || Array.isArray(value)) return false
  const struct = actual as Record<string, unknown>
  const found = Object.entries(value).map(([key, item]) => {
    const binding = inner === undefined ? undefined : bindingOf(inner, key)
    const field = type.struct.find(({ name }) => name === binding?.target)
    if (field === undefined) return saysSomething(item) ? undefined : ''
    return isSame(struct[field.name], item, field.type, binding?.inner) ? field.name : undefined
  })
  const others = type.struct.filter(({ name }) => !found.includes(name))
  return !found.includes(undefined) && others.every(({ name }) => (struct[name] ?? null) === null)
}

const bindingOf = (bindings: readonly Binding[], key: string): Binding | undefined =>
  bindings.find(({ source }) => folded(source) === folded(columnNameOf(key) ?? ''))

/** Null says nothing, nor does what holds nothing but that. */
function saysSomething(value: Json): boolean {
  return value !== null && (typeof value !== 'object' || Object.values(value).some(saysSomething))
}

/** Whether two keys of one object, at any depth, are one column. */
function hasTwins(value: Json): boolean {
  if (value === null || typeof value !== 'object') return false
  if (Object.values(value).some(hasTwins)) return true
  if (Array.isArray(value)) return false
  const names = Object.keys(value).map(key => folded(columnNameOf(key) ?? ''))
  return new Set(names).size < names.length
}

function randomObject(random: () => number): JsonObject {
  for (;;) {
    const document = randomDocument(random, 4)
    if (document !== null && typeof document === 'object' && !Array.isArray(document)) return document
  }
}

function parsed(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as Json
  } catch {
    return undefined
  }
}
