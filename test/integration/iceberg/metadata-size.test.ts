import assert from 'node:assert/strict'
import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { commitMany } from './commit-many.ts'

test(
  'however many commits there are, the metadata of a table stays small',
  need('catalog', 's3', 'readers'),
  async t => {
    const size = await commitMany(600)
    t.diagnostic(JSON.stringify(size))
    assert.ok(size.snapshots <= 500, `${size.snapshots} snapshots`)
    assert.ok(size.metadataBytes < 2_000_000, `${size.metadataBytes} bytes`)
    // Merged by the hundred.
    assert.ok(size.manifests <= 200, `${size.manifests} manifests`)
  }
)
