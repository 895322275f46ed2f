import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { makeWorkFolder } from '../../cli/work-folder.ts'

/** Beyond what any system gives out. */
const NOBODY = 2 ** 30

test('a work folder is private, and what killed runs left is removed once it is old', async context => {
  const parent = await mkdtemp(join(tmpdir(), 'bronze-work-'))
  context.after(() => rm(parent, { recursive: true, force: true }))
  const [nowMs, hourAgo] = [Date.now(), new Date(Date.now() - 3_600_000)]
  const folders = {
    left: `bronze-run-${NOBODY}-aaaaaa`,
    young: `bronze-run-${NOBODY}-bbbbbb`,
    running: `bronze-run-${process.pid}-cccccc`,
    stranger: 'bronze-runner'
  }
  for (const name of Object.values(folders)) await mkdir(join(parent, name, 'secrets'), { recursive: true })
  for (const name of [folders.left, folders.running, folders.stranger]) {
    await utimes(join(parent, name), hourAgo, hourAgo)
  }
  const made = await makeWorkFolder(parent, nowMs)
  const expected = [folders.young, folders.running, folders.stranger, basename(made)]
  assert.deepEqual((await readdir(parent)).sort(), expected.sort())
  if (process.platform !== 'win32') assert.equal((await stat(made)).mode & 0o777, 0o700)
})
