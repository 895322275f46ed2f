import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { unzip } from './unzip.ts'

/** An archive as streaming writers make it: sizes in the directory only. */
function zip(entries: readonly { name: string; content: string; method: number }[]): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, content, method } of entries) {
    const bytes = method === 8 ? deflateRawSync(content) : Buffer.from(content)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50)
    local.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(bytes.length, 20)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt16LE(3, 30)
    entry.writeUInt32LE(offset, 42)
    locals.push(local, Buffer.from(name), bytes)
    directory.push(entry, Buffer.from(name), Buffer.alloc(3))
    offset += local.length + name.length + bytes.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, ...directory, end, Buffer.from('a comment')])
}

const archive = zip([
  { name: 'a/', content: '', method: 0 },
  { name: 'a/stored', content: 'as it is', method: 0 },
  { name: 'a/deflated', content: 'again '.repeat(1000), method: 8 },
  { name: 'a/odd', content: '', method: 12 }
])

test('stored and deflated files are found behind others', () => {
  assert.equal(unzip(archive, 'a/stored')?.toString(), 'as it is')
  assert.equal(unzip(archive, 'a/deflated')?.toString(), 'again '.repeat(1000))
})

test('an absent name is undefined, an unknown method and no archive at all are refused', () => {
  assert.equal(unzip(archive, 'a'), undefined)
  assert.throws(() => unzip(archive, 'a/odd'), /method 12/)
  assert.throws(() => unzip(Buffer.from('nothing of the kind, and longer than a directory'), 'a'), /not a zip archive/)
})
