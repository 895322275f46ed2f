import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isElf, readProgram, withoutSymbols } from '../../../deploy/image/elf.ts'

const isLinux = process.platform === 'linux'
const options = isLinux ? {} : { skip: 'the Node at hand is no ELF file' }

test('the Node at hand is for this machine, needs libc and a loader, and runs without its symbols', options, () => {
  const node = readFileSync(process.execPath)
  const program = readProgram(node)
  assert.equal(program.machine, process.arch === 'x64' ? 'amd64' : process.arch)
  assert.ok(program.needed.includes('libc.so.6'))
  assert.match(program.interpreter ?? '', /^\/lib(?:64)?\/ld-linux-/)

  const stripped = withoutSymbols(node)
  assert.ok(stripped.length <= node.length)
  assert.deepEqual(readProgram(stripped), program)
  const folder = mkdtempSync(join(tmpdir(), 'bronze-elf-'))
  try {
    const path = join(folder, 'node')
    writeFileSync(path, stripped)
    chmodSync(path, 0o755)
    const { stdout, stderr } = spawnSync(path, ['--print', '6 * 7'], { encoding: 'utf8' })
    assert.equal(stdout.trim(), '42', stderr)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what is no 64-bit program of a known machine is refused', () => {
  assert.ok(!isElf(Buffer.from('#!/bin/sh\n')))
  const header = Buffer.alloc(64)
  header.write('\x7fELF', 'latin1')
  header[4] = 1
  header.writeUInt16LE(0x3e, 18)
  assert.throws(() => readProgram(header), /not a 64-bit program/)
  header[4] = 2
  header.writeUInt16LE(0x28, 18)
  assert.throws(() => readProgram(header), /known machine/)
})
