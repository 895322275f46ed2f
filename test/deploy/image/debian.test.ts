import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourcesFor } from '../../../deploy/image/debian.ts'

test('packages come from the mirrors that the machine is set up with, for the suite of the image', () => {
  const mirrors = [
    'http://mirror.example/debian/',
    'http://mirror.example/debian-security',
    'https://apt.example/node/'
  ]
  const lines = sourcesFor('bookworm', mirrors)
    .trimEnd()
    .split('\n')
    .map(line => line.replace(/\[.*\] /, ''))
  assert.deepEqual(lines, [
    'deb http://mirror.example/debian/ bookworm main',
    'deb http://mirror.example/debian/ bookworm-updates main',
    'deb http://mirror.example/debian-security bookworm-security main'
  ])
})

test('a machine whose apt knows no mirror of Debian is told what else to do', () => {
  assert.throws(() => sourcesFor('bookworm', ['http://archive.example/ubuntu/']), /docker build/)
})
