import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operation } from '../../../fakes/faulty-store.ts'
import { FatalError } from '../../../../lib/errors.ts'
import { TAKEN_AT_MS, batchOf } from '../../../conformance/batches.ts'
import { commit } from '../../../conformance/commits.ts'
import { TOPICS, first } from '../../../conformance/sink-context.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { s3Harness } from '../../../fakes/s3-sink-harness.ts'

const DAY_MS = 86_400_000
const LAYOUTS = ['Partitioned', 'Glob'] as const

const opened = async (store: MemoryStore, layout: 'Partitioned' | 'Glob') => {
  const harness = s3Harness(store, { settings: { layout } })
  const process = harness.process()
  await process.sink.open()
  return { harness, ...process }
}

const refused = (reason: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FatalError, String(error))
  assert.equal(error.reason, reason)
  assert.match(error.message, words)
  return true
}

for (const layout of LAYOUTS) {
  test(`${layout}: an attempt on another day, with another end, meets the first one that came in late`, async () => {
    const store = new MemoryStore()
    const [one, two] = [await opened(store, layout), await opened(store, layout)]
    await commit(one.sink, one.harness, [first(0, 3)])
    let isDown = false
    one.onOperation(operation => {
      const isNow = one.isCommit(operation) && !isDown
      if (isNow) isDown = true
      return isNow ? 'delayed' : isDown ? 'before' : undefined
    })
    await assert.rejects(commit(one.sink, one.harness, [{ from: 3, to: 5, bad: [4] }]))
    assert.equal((await two.sink.recover(TOPICS)).offsets.get('orders-0')?.nextOffset, 3)
    const later = await two.sink.stage(batchOf(two.harness.plan, [{ from: 3, to: 9 }], TAKEN_AT_MS + 2 * DAY_MS))
    await one.settle()
    assert.equal((await two.sink.commit([later])).status, 'fenced')
    assert.equal((await two.sink.recover(TOPICS)).offsets.get('orders-0')?.nextOffset, 5)
    const end = [{ from: 5, to: 9 }]
    assert.equal((await commit(two.sink, two.harness, end, TAKEN_AT_MS + 2 * DAY_MS)).status, 'committed')
    const rows = ['0-0', '0-1', '0-2', '0-3', '0-5', '0-6', '0-7', '0-8']
    assert.deepEqual(await two.harness.rows(), rows)
    assert.deepEqual(await two.harness.deadLetters(), ['0-4'])
  })

  test(`${layout}: a commit that expects nothing is another than one that expects offset 0`, async () => {
    const store = new MemoryStore()
    const { sink, harness } = await opened(store, layout)
    assert.equal((await commit(sink, harness, [first(0, 0, { empty: true })])).status, 'committed')
    const late = await opened(store, layout)
    assert.equal((await commit(late.sink, harness, [first(0, 4)])).status, 'fenced')
    assert.equal((await commit(sink, harness, [{ from: 0, to: 2 }])).status, 'committed')
    assert.equal((await commit(late.sink, harness, [{ from: 0, to: 4 }])).status, 'fenced')
    assert.deepEqual(await harness.rows(), ['0-0', '0-1'])
  })

  test(`${layout}: a commit of offsets that do not move writes nothing, and never stands in the way`, async () => {
    const store = new MemoryStore()
    const { sink, harness } = await opened(store, layout)
    await commit(sink, harness, [first(0, 2)])
    const before = store.objects.size
    assert.equal((await commit(sink, harness, [{ from: 2, to: 2, empty: true }])).status, 'committed')
    assert.equal(store.objects.size, before)
    assert.equal((await commit(sink, harness, [{ from: 2, to: 3 }])).status, 'committed')
  })

  test(`${layout}: what a race lost in one partition is told, and what was won in others is kept`, async () => {
    const store = new MemoryStore()
    const [one, two] = [await opened(store, layout), await opened(store, layout)]
    const both = (to: number, expected?: number) =>
      [0, 1].map(partition => ({ partition, from: expected ?? 0, to, expected }))
    await commit(one.sink, one.harness, both(2))
    await two.sink.recover(TOPICS)
    await commit(one.sink, one.harness, [{ from: 2, to: 4 }])
    const outcome = await commit(two.sink, two.harness, both(6, 2))
    assert.deepEqual(outcome.status === 'fenced' && outcome.partitions, ['orders-0'])
    const { offsets } = await two.sink.recover(TOPICS)
    assert.deepEqual(
      [...offsets.values()].map(({ nextOffset }) => nextOffset),
      [4, 6]
    )
    const expected = ['0-0', '0-1', '0-2', '0-3', '1-0', '1-1', '1-2', '1-3', '1-4', '1-5']
    assert.deepEqual(await two.harness.rows(), expected)
  })

  test(`${layout}: a table of the other layout, another format or a newer version is refused`, async () => {
    const other = layout === 'Glob' ? 'Partitioned' : 'Glob'
    const mixed = new MemoryStore()
    await opened(mixed, other)
    await assert.rejects(
      opened(mixed, layout),
      refused('IncompatibleTable', new RegExp(`layout ${other}.*Set spec.sink.s3.layout`))
    )
    for (const [path, words] of [
      ['bronze/orders/_delta_log/00000000000000000000.json', /a Delta table/],
      ['bronze/orders/metadata/00000-a.metadata.json', /an Iceberg table/]
    ] as const) {
      const store = new MemoryStore()
      await store.put(path, [])
      await assert.rejects(opened(store, layout), refused('ForeignTable', words))
    }
    for (const [table, words] of [
      ['bronze', /inside the folder of table bronze,/],
      ['bronze/orders/late', /table bronze\.orders\.late is inside/]
    ] as const) {
      const store = new MemoryStore()
      await store.put(`${table}/_bronze/table/9007199254740991-0.json`, [])
      await assert.rejects(opened(store, layout), refused('ForeignTable', words))
    }
    const beside = new MemoryStore()
    await beside.put('bronze/orders2/_bronze/table/9007199254740991-0.json', [])
    await beside.put('bronze/orders/dt=2026-11-21/somebody.parquet', [])
    await opened(beside, layout)
    const newer = new MemoryStore()
    await newer.put('bronze/orders/_bronze/table/9007199254740991-0.json', [Buffer.from('{"version": 2}')])
    await assert.rejects(opened(newer, layout), refused('UnsupportedFormat', /version 2.*newer consumer image/))
    const odd = new MemoryStore()
    const { sink, harness } = await opened(odd, layout)
    await commit(sink, harness, [first(0, 2)])
    const path = [...odd.objects.keys()].find(each => each.includes('/commits/')) ?? ''
    await odd.put(path.replace(/[^/]*$/, '0.txt'), [])
    await assert.rejects(sink.recover(TOPICS), refused('ForeignObject', /0\.txt.*Remove it/))
  })
}

test('Glob: what a commit did not put in place is put there by whoever goes on, before its own', async () => {
  const store = new MemoryStore()
  const victim = await opened(store, 'Glob')
  const heir = await opened(store, 'Glob')
  victim.onOperation(({ kind }) => (kind === 'copy' ? 'before' : undefined))
  await assert.rejects(commit(victim.sink, victim.harness, [first(0, 3, { bad: [1] })]))
  assert.deepEqual(await heir.harness.rows(), [])
  // It has not recovered: the batch was staged by another process.
  assert.equal((await commit(heir.sink, heir.harness, [{ from: 3, to: 4 }])).status, 'committed')
  assert.deepEqual(await heir.harness.rows(), ['0-0', '0-2', '0-3'])
  assert.deepEqual(await heir.harness.deadLetters(), ['0-1'])
  assert.deepEqual(pathsWith(store, '/staged/'), [])
})

test('Glob: an object that its reader has taken away does not come back', async () => {
  const store = new MemoryStore()
  const { sink, harness } = await opened(store, 'Glob')
  await commit(sink, harness, [first(0, 3)])
  for (const path of pathsWith(store, '.parquet')) await store.delete(path)
  assert.equal((await sink.recover(TOPICS)).offsets.get('orders-0')?.nextOffset, 3)
  assert.deepEqual(await harness.rows(), [])
})

test('Glob: names are a function of the key and the offset alone, and nothing else has the suffix of a format', async () => {
  const [monday, sunday] = await Promise.all(
    [0, 6].map(async days => {
      const store = new MemoryStore()
      const { sink, harness } = await opened(store, 'Glob')
      await commit(sink, harness, [first(0, 3, { bad: [2] })], TAKEN_AT_MS + days * DAY_MS)
      await commit(sink, harness, [{ from: 3, to: 4 + days }], TAKEN_AT_MS + days * DAY_MS)
      return pathsWith(store, '.parquet')
    })
  )
  assert.deepEqual(monday, sunday)
  assert.deepEqual(
    monday?.map(path => path.replace(/\+[0-9a-f]{8}\./, '.')),
    [
      'bronze/dlq_orders/topic=orders/orders+0+none.parquet',
      'bronze/orders/topic=orders/orders+0+0000000000000003.parquet',
      'bronze/orders/topic=orders/orders+0+none.parquet'
    ]
  )
})

test('a table that was dropped gets no commit, nor does the one that was created in its place', async () => {
  const store = new MemoryStore()
  const { sink, harness } = await opened(store, 'Partitioned')
  await commit(sink, harness, [first(0, 3)])
  const staged = await sink.stage(batchOf(harness.plan, [{ from: 3, to: 5 }]))
  store.objects.clear()
  await assert.rejects(sink.commit([staged]), refused('TableDropped', /restart the consumers/))
  await opened(store, 'Partitioned')
  await assert.rejects(sink.commit([staged]), refused('TableReplaced', /Restart the consumers/))
  assert.deepEqual(await harness.rows(), [])
})

/** What docs/s3.md says a commit costs. */
for (const [layout, counts] of [
  ['Partitioned', { get: 1, put: 4, putIfAbsent: 3 }],
  ['Glob', { get: 1, put: 4, putIfAbsent: 3, copy: 4, delete: 4 }]
] as const) {
  test(`${layout}: a commit of three partitions and a file of dead letters takes the requests that it must`, async () => {
    const { sink, harness, ...process } = await opened(new MemoryStore(), layout)
    const parts = (from: number, to: number, expected?: number) =>
      [0, 1, 2].map(partition => ({ partition, from, to, expected, bad: partition === 1 ? [from] : [] }))
    await commit(sink, harness, parts(0, 2))
    const count = counting(fault => process.onOperation(fault))
    await commit(sink, harness, parts(2, 4, 2))
    assert.deepEqual(count(), counts)
    await sink.recover(TOPICS)
    // Of the table and of each partition two; of the topic and of its incarnation one. For globs, two per object.
    const looks = layout === 'Glob' ? { size: 8 } : {}
    assert.deepEqual(count(), { list: 1 + 3, get: 1 + 3, folders: 2, ...looks })
  })
}

function counting(onOperation: (fault: (operation: Operation) => undefined) => void) {
  let counts: Record<string, number> = {}
  onOperation(({ kind }) => {
    counts[kind] = (counts[kind] ?? 0) + 1
    return undefined
  })
  return () => {
    const counted = counts
    counts = {}
    return counted
  }
}

const pathsWith = (store: MemoryStore, text: string): string[] =>
  [...store.objects.keys()].filter(path => path.includes(text)).sort()
