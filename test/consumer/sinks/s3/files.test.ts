import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileStore } from '../../../../consumer/store/file.ts'
import { testSink } from '../../../conformance/sink.ts'
import { s3Harness } from '../../../fakes/s3-sink-harness.ts'

testSink('objects as files, for globs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-objects-'))
  const close = async () => await rm(folder, { recursive: true, force: true })
  return s3Harness(new FileStore(folder), { settings: { layout: 'Glob' }, close })
})
