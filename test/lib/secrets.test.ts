import assert from 'node:assert/strict'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FatalError } from '../../lib/errors.ts'
import { secretFolder } from '../../lib/secrets.ts'

test('a key is read anew each time, without its last line break; a missing one is undefined', async context => {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-secrets-'))
  context.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'kafka-user'))
  const read = secretFolder(folder)
  await writeFile(join(folder, 'kafka-user', 'password'), 'old\n')
  assert.equal(await read('kafka-user', 'password'), 'old')
  await writeFile(join(folder, 'kafka-user', 'password'), 'new')
  assert.equal(await read('kafka-user', 'password'), 'new')
  assert.equal(await read('kafka-user', 'username'), undefined)
})

test('a name that would leave the folder is refused', async () => {
  const read = secretFolder('secrets')
  for (const [name, key] of [
    ['..', 'x'],
    ['a/b', 'x'],
    ['a', '../x'],
    ['a', 'b/c'],
    ['', 'x']
  ] as const) {
    await assert.rejects(read(name, key), FatalError)
  }
})
