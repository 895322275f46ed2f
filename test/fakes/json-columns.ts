import assert from 'node:assert/strict'
import { RowGroupBuffer } from '../../consumer/columns/row-group.ts'
import type { Field } from '../../consumer/columns/schema.ts'
import type { Binding } from '../../consumer/columns/binding.ts'
import { ndjsonChunks } from '../../consumer/ndjson/encode.ts'
import { bindAll } from './columns.ts'

/** The same fields, as columns of JSON each. */
export const jsonColumns = (fields: readonly Field[]): readonly Field[] =>
  fields.map(({ name }) => ({ name, type: 'string', nullable: true, isJson: true }))

/** Rows as lines, columns of JSON embedded. */
export function lines(rows: RowGroupBuffer): readonly Record<string, unknown>[] {
  const text = [...ndjsonChunks(rows, { embedJson: true })].map(({ bytes }) => bytes.toString()).join('')
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
}

interface Records {
  readonly fields: readonly Field[]
  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void
}

/** The columns of the record in hand; those of JSON as their text. */
export function inJson(records: Records): Record<string, unknown> {
  const rows = new RowGroupBuffer({ fields: records.fields, partitionBy: [] })
  records.append(rows, bindAll(records.fields))
  rows.endRow()
  const text = [...ndjsonChunks(rows)].map(({ bytes }) => bytes.toString()).join('')
  return JSON.parse(text) as Record<string, unknown>
}

/** Equal but for members that are null or not there; what one has as JSON the other may have as text of it. */
export function assertAlike(actual: unknown, expected: unknown, where: string): void {
  if (actual === null || expected === null || typeof actual !== 'object') {
    assert.equal(actual, expected, where)
    return
  }
  const parsed: unknown = typeof expected === 'string' ? JSON.parse(expected) : expected
  const other = Array.isArray(parsed) && !Array.isArray(actual) ? asObject(parsed) : parsed
  assert.ok(typeof other === 'object' && other !== null, where)
  assert.equal(Array.isArray(actual), Array.isArray(other), where)
  const [mine, theirs] = [new Map(Object.entries(actual)), new Map(Object.entries(other))]
  for (const key of new Set([...mine.keys(), ...theirs.keys()]))
    assertAlike(mine.get(key) ?? null, theirs.get(key) ?? null, `${where} ${key}`)
}

/** Lines have maps whose keys are no text as lists of entries. */
const asObject = (entries: readonly unknown[]): unknown =>
  Object.fromEntries(
    (entries as readonly { key: unknown; value: unknown }[]).map(({ key, value }) => [String(key), value])
  )
