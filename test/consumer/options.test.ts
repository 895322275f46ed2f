import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConsumerOptions } from '../../consumer/options.ts'

const BASE = ['--pipeline', 'p.yaml', '--instance', 'taxi-0']

test('in a cluster the server listens everywhere and the reason of death goes to the pod’s message', () => {
  const { host, terminationLog } = parseConsumerOptions(BASE, true)
  assert.deepEqual([host, terminationLog], ['::', '/dev/termination-log'])
})

test('on a laptop it listens on loopback', () => {
  assert.equal(parseConsumerOptions(BASE, false).host, '127.0.0.1')
})

test('entries to run can be named, and are all when none is', () => {
  assert.deepEqual(parseConsumerOptions(BASE, false).topics, [])
  assert.deepEqual(parseConsumerOptions([...BASE, '--topic', 'a', '--topic', 'b'], false).topics, ['a', 'b'])
})

test('what is missing or malformed is named', () => {
  assert.throws(() => parseConsumerOptions(['--instance', 'x'], false), /--pipeline/)
  assert.throws(() => parseConsumerOptions([...BASE, '--port', '80x'], false), /--port.*80x/)
  assert.throws(() => parseConsumerOptions([...BASE, '--colour', 'red'], false), /colour/)
})
