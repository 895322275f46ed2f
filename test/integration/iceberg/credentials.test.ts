import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../../lib/errors.ts'
import { commit } from '../../conformance/commits.ts'
import { need } from '../../servers/need.ts'
import { directHarness, vendingHarness } from './catalog-harness.ts'

const servers = need('catalog', 's3')

test('credentials that end are asked for again, and a token that is revoked is replaced', servers, async () => {
  // The S3 client takes credentials for ended five minutes before they are.
  const harness = await vendingHarness({ credentialsLastMs: 1_000 })
  const { sink } = harness.process()
  try {
    await sink.open()
    const loads = () => harness.facade.requests.filter(line => /^GET .*\/tables\/orders$/.test(line)).length
    const before = loads()
    assert.equal((await commit(sink, harness, [{ from: 0, to: 3, expected: undefined }])).status, 'committed')
    assert.ok(loads() > before)
    harness.facade.revokeTokens()
    assert.equal((await commit(sink, harness, [{ from: 3, to: 6, bad: [4] }])).status, 'committed')
    assert.equal(harness.facade.requests.filter(line => line.endsWith('/oauth/tokens')).length, 2)
    assert.equal((await harness.rows()).length, 5)
  } finally {
    await sink.close()
    await harness.close()
  }
})

test('a store that refuses the pipeline’s key names the field', servers, async () => {
  const harness = await directHarness({}, 'wrong')
  const { sink } = harness.process()
  try {
    await sink.open()
    await assert.rejects(commit(sink, harness, [{ from: 0, to: 3, expected: undefined }]), (error: unknown) => {
      assert.ok(error instanceof FatalError, String(error))
      assert.match(error.message, /spec\.sink\.iceberg\.s3\.credentialsSecretRef/)
      assert.doesNotMatch(error.message, /delta/)
      return true
    })
  } finally {
    await sink.close()
    await harness.close()
  }
})
