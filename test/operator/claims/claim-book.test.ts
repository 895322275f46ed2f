import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BronzePipeline, BronzePipelineStatus } from '../../../crds/pipeline.ts'
import { ClaimBook } from '../../../operator/claims/claim-book.ts'
import { aPipeline, objectsOf } from '../given.ts'

const topics = (...tables: readonly string[]) => tables.map((table, n) => ({ name: `t${n}`, table, format: 'Json' }))

interface Given {
  readonly tables: readonly string[]
  readonly spec?: object
  readonly status?: BronzePipelineStatus
  readonly generation?: number
}

/** `old` was created before `young`. */
function named(name: 'old' | 'young', { tables, spec = {}, status, generation = 1 }: Given): BronzePipeline {
  const { metadata, ...rest } = aPipeline({ topics: topics(...tables), ...spec }, status)
  const creationTimestamp = name === 'old' ? '2026-01-01T00:00:00Z' : '2026-02-01T00:00:00Z'
  return { ...rest, metadata: { ...metadata, name, uid: `uid-${name}`, generation, creationTimestamp } }
}

/** The ConfigMap of what a pipeline runs that was made from this spec, and the status that names it. */
function running(name: 'old' | 'young', given: Given) {
  const { config } = objectsOf(named(name, given))
  return { config, revision: { name: config.metadata.name, healthy: true } }
}

test('a plan takes nothing from a pipeline that runs', () => {
  const book = new ClaimBook()
  const { config, revision } = running('old', { tables: ['a.mine'] })
  book.observe('lake/old', named('old', { tables: ['a.mine'], status: { revision } }), [config])
  book.observe('lake/young', named('young', { tables: ['a.other'] }))
  const planned = { tables: ['a.mine', 'a.other'], spec: { mode: 'Plan' }, generation: 2, status: { revision } }
  assert.deepEqual(book.observe('lake/old', named('old', planned), [config]), [])
  assert.equal(book.holderOf('lake/young'), undefined)
  assert.equal(book.holderOf('lake/old')?.name, 'a.other')
  const applied = { ...planned, spec: {}, generation: 3 }
  assert.deepEqual(book.observe('lake/old', named('old', applied), [config]), ['lake/young'])
})

test('a pipeline that was made as a plan has nothing yet, and hears when it could have it', () => {
  const book = new ClaimBook()
  book.observe('lake/old', named('old', { tables: ['a.one'], spec: { mode: 'Plan' } }))
  book.observe('lake/young', named('young', { tables: ['a.one'] }))
  assert.equal(book.holderOf('lake/young'), undefined)
  assert.equal(book.holderOf('lake/old')?.holder, 'lake/young')
  assert.deepEqual(book.observe('lake/young', undefined), ['lake/old'])
  assert.equal(book.holderOf('lake/old'), undefined)
})

test('what runs keeps what it has while its spec is a plan or not accepted, also for an operator that has just started', () => {
  const { config, revision } = running('old', { tables: ['a.mine'] })
  const file = { delta: { location: 'file:///tmp/lake' } }
  for (const spec of [{ mode: 'Plan' }, { sink: file }]) {
    const book = new ClaimBook()
    const object = named('old', { tables: ['a.new'], spec, generation: 2, status: { revision } })
    book.observe('lake/young', named('young', { tables: ['a.mine'] }))
    // The copy of ConfigMaps may come later than that of pipelines.
    book.observe('lake/old', object)
    book.observe('lake/old', object, [config])
    assert.equal(book.holderOf('lake/young')?.name, 'a.mine', JSON.stringify(spec))
  }
})

test('a pipeline that was rolled back has what runs and what its spec asks for', () => {
  const book = new ClaimBook()
  const { config, revision } = running('old', { tables: ['a.before'] })
  book.observe('lake/young', named('young', { tables: ['a.before'] }))
  book.observe('lake/old', named('old', { tables: ['a.after'], generation: 2, status: { revision } }), [config])
  assert.equal(book.holderOf('lake/young'), undefined)
  const rolledBack = { name: 'failed', time: '2026-03-01T00:00:00Z', reason: 'NotReady', message: 'not ready' }
  const status = { revision: { ...revision, rolledBack } }
  const object = named('old', { tables: ['a.after'], generation: 2, status })
  assert.deepEqual(book.observe('lake/old', object, [config]), ['lake/young'])
  assert.equal(book.holderOf('lake/young')?.name, 'a.before')
})
