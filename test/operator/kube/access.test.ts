import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { tokenFile } from '../../../operator/kube/access.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

test('an exchanged token is used from the next minute on', async context => {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-token-'))
  context.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'token')
  const clock = new ManualClock(0)
  const token = tokenFile(path, clock)
  await writeFile(path, 'first\n')
  assert.equal(await token(), 'first')
  await writeFile(path, 'second\n')
  assert.equal(await token(), 'first')
  await clock.advance(60_001)
  assert.equal(await token(), 'second')
})
