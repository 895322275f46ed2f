import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appliedPatch, merged } from '../../../cli/cluster/merge-patch.ts'

test('a patch sets what the manifest says and takes away what it no longer says, and nothing that others have set', () => {
  const last = { scaling: { mode: 'Lag', maxReplicas: 3 }, topics: [1, 2], batch: { maxBytes: '1Mi' } }
  const manifest = { scaling: { mode: 'External' }, topics: [2] }
  const patch = appliedPatch(last, manifest)
  assert.deepEqual(patch, { batch: null, scaling: { mode: 'External', maxReplicas: null }, topics: [2] })
  const live = { ...last, scaling: { ...last.scaling, replicas: 7 }, suspend: true }
  assert.deepEqual(merged(live, patch), { scaling: { mode: 'External', replicas: 7 }, topics: [2], suspend: true })
})

test('without a last one nothing is taken away, and applying twice is applying once', () => {
  const manifest = { a: { b: 1 }, c: undefined }
  const once = merged({ a: { d: 2 } }, appliedPatch(undefined, manifest))
  assert.deepEqual(once, { a: { b: 1, d: 2 } })
  assert.deepEqual(merged(once, appliedPatch(manifest, manifest)), once)
})
