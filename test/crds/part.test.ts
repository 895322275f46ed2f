import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partOf } from '../../crds/part.ts'
import { pipelineOf } from '../fakes/pipelines.ts'

const pipeline = pipelineOf(`topics:
- {name: trips, topic: taxi.trips, table: bronze.trips}
- {name: zones, table: bronze.zones}
- {name: rides, pattern: "taxi[.].*", table: bronze.rides}
- {name: rest, pattern: "[a-z]+", table: bronze.rest}`)

const namesOf = (...names: string[]) => {
  const part = partOf(pipeline, names)
  return part.ok ? part.pipeline.topics.map(({ name }) => name) : part.problem
}

test('no names are all entries', () => {
  assert.deepEqual(namesOf(), ['trips', 'zones', 'rides', 'rest'])
})

test('entries that name their topics can be chosen freely, and stay in the order of the spec', () => {
  assert.deepEqual(namesOf('trips'), ['trips'])
  assert.deepEqual(namesOf('zones', 'trips', 'zones'), ['trips', 'zones'])
})

test('a name that no entry has is told with those that there are', () => {
  assert.match(
    String(namesOf('taxi.trips')),
    /no entry taxi\.trips in spec\.topics; there are trips, zones, rides, rest/
  )
})

test('a pattern is not run without the entries that own topics it matches', () => {
  assert.match(String(namesOf('rides')), /^trips may own topics that match the pattern of rides/)
  assert.deepEqual(namesOf('trips', 'rides'), ['trips', 'rides'])
  assert.match(String(namesOf('rest')), /^zones may own/)
  assert.match(String(namesOf('zones', 'rest')), /^rides may own topics that match the pattern of rest/)
  assert.deepEqual(namesOf('trips', 'zones', 'rides', 'rest'), ['trips', 'zones', 'rides', 'rest'])
})
