import assert from 'node:assert/strict'
import { test } from 'node:test'
import { covers } from '../../../operator/objects/covers.ts'

const table: readonly [string, unknown, unknown, boolean][] = [
  ['the same', { a: [1, { b: 'c' }] }, { a: [1, { b: 'c' }] }, true],
  ['more than wanted', { a: 1, b: 2 }, { a: 1 }, true],
  ['less than wanted', { a: 1 }, { a: 1, b: 2 }, false],
  ['another value', { a: 1 }, { a: 2 }, false],
  ['a list that grew', { a: [1, 2] }, { a: [1] }, false],
  ['what is empty may be absent', {}, { a: [], b: {}, c: undefined }, true],
  ['nothing where an object is wanted', { a: undefined }, { a: { b: 1 } }, false],
  [
    'a quantity written otherwise',
    { resources: { limits: { cpu: '500m' } } },
    { resources: { limits: { cpu: '0.5' } } },
    true
  ],
  ['another quantity', { resources: { limits: { cpu: '500m' } } }, { resources: { limits: { cpu: '1' } } }, false],
  ['texts that would be equal as quantities', { labels: { a: '1000m' } }, { labels: { a: '1' } }, false]
]
for (const [name, there, wanted, expected] of table) {
  test(`covers: ${name}`, () => assert.equal(covers(there, wanted), expected))
}
