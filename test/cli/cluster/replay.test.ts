import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BronzePipeline } from '../../../crds/pipeline.ts'
import { PIPELINES_OF } from '../../fakes/kube-server.ts'
import { lake } from './world.ts'

const REPLAY = `${PIPELINES_OF('lake')}/shop-replay-fix`
const RANGE = ['--partition', '1', '--from', '100', '--to', '200', '--id', 'fix'] as const

test('replay makes a pipeline of its own group and table beside the live one, which stays as it is', async context => {
  const { run, kube } = await lake(context)
  const before = kube.objects.get(`${PIPELINES_OF('lake')}/shop`)
  const { code, out, err } = await run('replay', 'shop', ...RANGE)
  assert.deepEqual([code, err], [0, ''])
  assert.equal(out, 'lake/shop-replay-fix: created, writes bronze.orders_replay_fix\n')
  const made = kube.objects.get(REPLAY) as BronzePipeline | undefined
  assert.deepEqual(made?.metadata.labels, { 'bronze.dev/replay-of': 'shop' })
  assert.equal(made?.spec.source.groupId, undefined)
  const [entry] = made?.spec.topics ?? []
  assert.equal(entry?.table, 'bronze.orders_replay_fix')
  assert.deepEqual(entry?.startFrom, { position: 'Offsets', offsets: [{ partition: 1, offset: 100 }] })
  assert.deepEqual(entry?.endAt, { position: 'Offsets', offsets: [{ partition: 1, offset: 200 }] })
  assert.equal(kube.objects.get(`${PIPELINES_OF('lake')}/shop`), before)
  assert.match((await run('replay', 'shop', ...RANGE)).out, /is there already/)
})

test('--wait ends when it is completed', async context => {
  const { run, kube } = await lake(context)
  await run('replay', 'shop', ...RANGE)
  const made = kube.objects.get(REPLAY)
  const condition = { type: 'Completed', status: 'True', reason: 'Completed', message: '', lastTransitionTime: '' }
  const status = { observedGeneration: made?.metadata.generation ?? 0, conditions: [condition] }
  kube.put(PIPELINES_OF('lake'), { ...made, status })
  const { code, out } = await run('replay', 'shop', ...RANGE, '--wait')
  assert.equal(code, 0)
  assert.match(out, /shop-replay-fix: completed\n$/)
})

const WRONG: readonly [string, readonly string[], RegExp][] = [
  ['no end', ['--from', 'earliest'], /--to is missing/],
  ['an offset of no partition', ['--from', '1', '--to', '2'], /name it with --partition/],
  ['nothing between', ['--partition', '0', '--from', '2', '--to', '2'], /nothing to read/],
  ['no such entry', ['--from', 'earliest', '--to', 'latest', '--topic', 'trips'], /there is no entry trips/],
  ['no point', ['--from', 'yesterday', '--to', 'latest'], /--from takes an offset, a time .* not 'yesterday'/],
  ['the live table', ['--from', '1h', '--to', 'latest', '--table', 'bronze.orders'], /MERGE INTO delta\..* INSERT \*;/],
  ['its dead letters', ['--from', '1h', '--to', 'latest', '--table', 'bronze.dlq_orders'], /belongs to lake\/shop/],
  ['an id that no name can have', ['--from', '1h', '--to', 'latest', '--id', 'A_b'], /--id takes/]
]
for (const [name, args, message] of WRONG) {
  test(`wrong usage: ${name}`, async context => {
    const { run, kube } = await lake(context)
    const { code, err } = await run('replay', 'shop', ...args)
    assert.equal(code, 2)
    assert.match(err, message)
    assert.deepEqual(kube.bodies, [])
  })
}
