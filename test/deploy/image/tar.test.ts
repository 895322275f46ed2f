import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { file, folder, link, readTar, writeTar } from '../../../deploy/image/tar.ts'

const deep = `${'a-long-folder/'.repeat(9)}${'name'.repeat(12)}.txt`
const entries = [
  file('b/run', '#!x', 0o755),
  link('b/link', '../a'),
  folder('tmp', 0o1777),
  file('a', Buffer.alloc(1500, 7)),
  file(deep, 'deep')
]

test('the bytes do not depend on the order in which entries are given', () => {
  assert.ok(writeTar(entries).equals(writeTar(entries.toReversed())))
})

test('what was written is read back, sorted, with the folders that lead to it', () => {
  const read = readTar(writeTar(entries))
  const paths = read.map(({ path }) => path)
  assert.deepEqual(paths, [...paths].sort())
  assert.deepEqual(read.find(({ path }) => path === 'b')?.kind, 'folder')
  for (const entry of entries)
    assert.deepEqual(
      read.find(({ path }) => path === entry.path),
      entry
    )
})

test('tar lists it: names, modes, links, and root as the owner', () => {
  const { stdout, stderr } = spawnSync('tar', ['-tvf', '-', '--numeric-owner'], { input: writeTar(entries) })
  const lines = stdout.toString().trim().split('\n')
  assert.equal(lines.length, entries.length + 1 + 9, stderr.toString())
  assert.ok(lines.every(line => line.includes(' 0/0 ') && line.includes('1970-01-01')))
  assert.ok(lines.some(line => line.startsWith('-rwxr-xr-x') && line.endsWith(' b/run')))
  assert.ok(lines.some(line => line.endsWith(' b/link -> ../a')))
  assert.ok(lines.some(line => line.startsWith('drwxrwxrwt') && line.endsWith(' tmp/')))
  assert.ok(lines.some(line => line.endsWith(deep)))
})

for (const format of ['gnu', 'pax', 'ustar']) {
  test(`an archive of tar --format=${format} is read, long names and links included`, () => {
    const root = mkdtempSync(join(tmpdir(), 'bronze-tar-'))
    try {
      mkdirSync(join(root, deep, '..'), { recursive: true })
      writeFileSync(join(root, deep), 'deep')
      symlinkSync('x', join(root, 'link'))
      // Half a second of a time makes pax headers.
      utimesSync(join(root, deep), 1.5, 1.5)
      const { stdout } = spawnSync('tar', [`--format=${format}`, '-C', root, '-cf', '-', '.'])
      const read = readTar(stdout)
      assert.equal(read.find(({ path }) => path === deep)?.bytes.toString(), 'deep')
      assert.equal(read.find(({ path }) => path === 'link')?.target, 'x')
    } finally {
      rmSync(root, { recursive: true })
    }
  })
}

test('a path twice, a name too long, a device and a cut archive are refused', () => {
  assert.throws(() => writeTar([file('a', ''), file('a', '')]), /a twice/)
  assert.throws(() => writeTar([file('x'.repeat(101), '')]), /too long/)
  assert.throws(() => writeTar([link('a', 'x'.repeat(101))]), /target of a is too long/)
  const archive = writeTar([file('a', 'bytes')])
  assert.throws(() => readTar(archive.subarray(0, 514)), /cut short/)
  archive[156] = '3'.charCodeAt(0)
  assert.throws(() => readTar(archive), /the type "3"/)
})
