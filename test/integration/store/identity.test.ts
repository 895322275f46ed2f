import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { withIdentity } from '../../consumer/store/fake-sts.ts'
import { need } from '../../servers/need.ts'
import { startS3 } from '../../servers/s3.ts'
import { startIssuer } from './issuer.ts'

const HOUR_MS = 3_600_000

test(
  'a real token service lets a pod’s token in, and one that has ended or is for others not',
  need('s3'),
  async context => {
    const issuer = await startIssuer(context)
    const s3 = await startS3(issuer.env)
    context.after(async () => await s3.stop())
    await s3.createBucket('lake')
    const folder = await mkdtemp(join(tmpdir(), 'bronze-identity-'))
    context.after(async () => await rm(folder, { recursive: true }))
    const file = join(folder, 'token')
    withIdentity(context, {
      AWS_ROLE_ARN: issuer.role,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ENDPOINT_URL_STS: s3.endpoint
    })
    const open = async () => {
      const { endpoint, region } = s3
      const options = { endpoint, region, forcePathStyle: true, credentialsSecret: undefined, caSecret: undefined }
      const store = await openObjectStore('s3://lake/raw', options, async () => undefined, 'spec.sink.s3')
      context.after(async () => await store.close())
      return store
    }
    const store = await open()
    await writeFile(file, issuer.token({ expiresAtMs: Date.now() - HOUR_MS }))
    await assert.rejects(
      store.get('a'),
      (error: unknown) => error instanceof RetryableError && error.code === 'S3IdentityUnavailable'
    )
    // The kubelet renews it.
    await writeFile(file, issuer.token({ expiresAtMs: Date.now() + HOUR_MS }))
    assert.equal(await store.putIfAbsent('a', [Buffer.from('first')]), 'created')
    assert.equal(await store.putIfAbsent('a', [Buffer.from('second')]), 'exists')
    await store.put('parts', [Buffer.alloc(9 * 2 ** 20)])
    assert.equal(await store.copy('a', 'b'), true)
    assert.equal((await store.get('b'))?.toString(), 'first')
    await store.delete('b')
    await writeFile(file, issuer.token({ audience: 'somebody', expiresAtMs: Date.now() + HOUR_MS }))
    const other = await open()
    await assert.rejects(
      other.get('a'),
      (error: unknown) => error instanceof FatalError && error.reason === 'S3IdentityDenied'
    )
  }
)
