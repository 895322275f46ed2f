import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberName } from '../../cli/member-name.ts'
import { pipelineOf } from '../fakes/pipelines.ts'

const pipeline = pipelineOf('topics: [{name: trips, table: bronze.trips}]')

test('a whole run has the name of its pipeline, a part of it those of its entries too', () => {
  assert.equal(memberName(pipeline, []), 'shop')
  assert.equal(memberName(pipeline, ['trips']), 'shop.trips')
  assert.equal(memberName(pipeline, ['zones', 'trips', 'zones']), 'shop.trips.zones')
})

test('names stay within what a group takes, and different parts differ', () => {
  const many = Array.from({ length: 200 }, (_, i) => `entry-${i}`)
  const [all, fewer] = [memberName(pipeline, many), memberName(pipeline, many.slice(1))]
  assert.match(all, /^shop\.[0-9a-f]{16}$/)
  assert.notEqual(all, fewer)
})
