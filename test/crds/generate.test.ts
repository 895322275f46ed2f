import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { generated } from '../../crds/generate.ts'
import { pipelineSchema, type Schema } from '../../crds/schema.ts'

suite('what is made from the definition is fresh', () => {
  for (const [path, text] of generated()) {
    test(path, () => {
      assert.equal(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text, 'run `npm run generate`')
    })
  }
})

test('every field says what it means and is bounded', () => {
  const faults: string[] = []
  for (const [path, schema] of fields(pipelineSchema, '')) {
    if (schema.description === undefined && path !== '.metadata') faults.push(`${path} has no description`)
    const isBounded = schema.enum !== undefined || schema.maxLength !== undefined
    if (schema.type === 'string' && !isBounded && !['.apiVersion', '.kind'].includes(path))
      faults.push(`${path} has no maxLength`)
    if (schema.type === 'array' && schema.maxItems === undefined) faults.push(`${path} has no maxItems`)
    if (schema.type === 'array' && schema['x-kubernetes-list-type'] === undefined)
      faults.push(`${path} has no list type`)
    if (schema.additionalProperties && schema.maxProperties === undefined) faults.push(`${path} has no maxProperties`)
    const isInput = path.startsWith('.spec')
    const hasEnds = schema.enum !== undefined || (schema.minimum !== undefined && schema.maximum !== undefined)
    if (isInput && schema.type === 'integer' && !hasEnds) {
      faults.push(`${path} has no minimum or maximum`)
    }
  }
  assert.deepEqual(faults, [])
})

function* fields(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield [`${path}.${name}`, field]
    yield* fields(field, `${path}.${name}`)
  }
  if (schema.items) yield* fields(schema.items, `${path}[]`)
  if (schema.items?.type === 'string') yield [`${path}[]`, { description: '', ...schema.items }]
}
