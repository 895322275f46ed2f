import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type StartFrom } from '../../../crds/settled.ts'
import { type PartitionId, partitionId } from '../../../consumer/partition.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { TestSource, type TestSourceOptions, pollUntil } from './harness.ts'
import { type TestCluster } from './test-cluster.ts'

type Overrides = Partial<Omit<TestSourceOptions, 'bootstrap'>>

/** What every test gets: a cluster, a name of its own, and sources that are closed when it ends. */
interface Bench {
  readonly cluster: TestCluster
  readonly topic: string
  readonly open: (overrides?: Overrides) => Promise<TestSource>
}

const numbered = (count: number, prefix = 'v'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)
const firstOf = (topic: string): PartitionId => partitionId({ topic, partition: 0 })
const valuesOf = (source: TestSource): (string | null)[] => source.records.map(({ value }) => value)

/** The laws of a source, the same on every broker. */
export function testSource(name: string, options: { skip?: string }, clusterOf: () => Promise<TestCluster>): void {
  const law = (title: string, run: (bench: Bench) => Promise<void>) => {
    test(`${name}: ${title}`, options, async () => {
      const cluster = await clusterOf()
      const topic = `t-${randomBytes(6).toString('hex')}`
      const sources: TestSource[] = []
      const open = async (overrides: Overrides = {}) => {
        const source = new TestSource({
          bootstrap: cluster.bootstrap,
          groupId: `g-${topic}`,
          topics: [topic],
          ...overrides
        })
        sources.push(source)
        await source.source.open()
        return source
      }
      try {
        await run({ cluster, topic, open })
      } finally {
        await Promise.all(sources.map(({ source }) => source.close({ leave: true })))
      }
    })
  }
  readingLaws(law)
  groupLaws(law)
  startLaws(law)
  lossLaws(law)
}

type Law = (title: string, run: (bench: Bench) => Promise<void>) => void

function readingLaws(law: Law): void {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    law(`${codec} records arrive once, in order, tombstones too`, async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      await cluster.produce(topic, 0, [...numbered(50), null], codec)
      await cluster.produce(topic, 0, numbered(50, 'w'), codec)
      const source = await open()
      await pollUntil([source], () => source.records.length >= 101, '101 records')
      assert.deepEqual(valuesOf(source), [...numbered(50), null, ...numbered(50, 'w')])
      assert.deepEqual(
        source.offsets(`${topic}-0`),
        Array.from({ length: 101 }, (_, offset) => offset)
      )
    })
  }

  law('nothing is fetched before it is sought, and a seek goes back', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(10))
    const source = await open()
    source.start = undefined
    await pollUntil([source], () => source.assigned.size === 1, 'assignment')
    for (let round = 0; round < 5; round++) await source.pollOnce(50)
    assert.equal(source.records.length, 0)
    source.source.seek(new Map([[firstOf(topic), 4]]))
    await pollUntil([source], () => source.records.length === 6, 'records from 4')
    source.source.seek(new Map([[firstOf(topic), 8]]))
    await pollUntil([source], () => source.records.length === 8, 'records from 8')
    assert.deepEqual(source.offsets(`${topic}-0`), [4, 5, 6, 7, 8, 9, 8, 9])
  })

  law('a closed gate holds one partition while the other flows', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    const source = await open()
    let closed: string | undefined = `${topic}-0`
    source.source.setGate(id => id !== closed)
    await cluster.produce(topic, 0, numbered(5))
    await cluster.produce(topic, 1, numbered(5))
    await pollUntil([source], () => source.records.length === 5, 'the open partition')
    assert.equal(source.offsets(`${topic}-0`).length, 0)
    closed = undefined
    await pollUntil([source], () => source.records.length === 10, 'the gate opened')
  })

  law('a batch larger than the fetch limits comes through', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    const large = 'x'.repeat(400_000)
    await cluster.produce(topic, 0, [large])
    await cluster.produce(topic, 0, ['small'])
    const source = await open({ limits: { fetchBytes: 2000, partitionFetchBytes: 1000 } })
    await pollUntil([source], () => source.records.length === 2, 'both records')
    assert.equal(source.records[0]?.value?.length, 400_000)
  })

  law(
    'aborted transactions leave no record, committed ones do, and the offset passes the markers',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      await cluster.produce(topic, 0, ['plain'])
      await cluster.transact(`${topic}-x`, topic, ['aborted 1', 'aborted 2'], 'abort')
      await cluster.transact(`${topic}-x`, topic, ['committed'], 'commit')
      const source = await open()
      const end = (await source.source.resolveStart(topic, { position: 'Latest' })).get(0)
      assert.equal(end, 6)
      await pollUntil([source], () => source.batches.at(-1)?.nextOffset === end, 'the end')
      assert.deepEqual(valuesOf(source), ['plain', 'committed'])
      assert.deepEqual(source.source.lags().get(`${topic}-0`), { endOffset: 6, logStart: 0, position: 6 })
    }
  )

  law('create times are kept', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, ['a'], 'none', 1_700_000_000_123)
    const source = await open()
    await pollUntil([source], () => source.records.length === 1, 'the record')
    assert.equal(source.records[0]?.timestampMs, 1_700_000_000_123)
  })
}

function groupLaws(law: Law): void {
  law('a second member takes half; what is kept is not touched and keeps flowing', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 4)
    const first = await open({ instanceId: 'one' })
    await pollUntil([first], () => first.assigned.size === 4, 'all partitions')
    for (let partition = 0; partition < 4; partition++) await cluster.produce(topic, partition, numbered(5))
    await pollUntil([first], () => first.records.length === 20, 'first records')
    const second = await open({ instanceId: 'two' })
    second.start = () => 5
    await pollUntil([first, second], () => first.assigned.size === 2 && second.assigned.size === 2, 'two each')
    assert.equal(first.changes.filter(change => change.startsWith('+')).length, 4, 'nothing was assigned again')
    for (let partition = 0; partition < 4; partition++) await cluster.produce(topic, partition, numbered(5))
    await pollUntil([first, second], () => first.records.length === 30 && second.records.length === 10, 'later records')
    for (const id of first.assigned.keys()) assert.deepEqual(first.offsets(id), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await second.source.close({ leave: true })
    await pollUntil([first], () => first.assigned.size === 4, 'everything back at once')
    assert.ok(first.source.isMember())
  })

  law(
    'a restart under the same name keeps its partitions without touching the others',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic, 4)
      const stays = await open({ instanceId: 'stays', limits: { sessionTimeoutMs: 30_000 } })
      const restarts = await open({ instanceId: 'restarts', limits: { sessionTimeoutMs: 30_000 } })
      await pollUntil([stays, restarts], () => stays.assigned.size === 2 && restarts.assigned.size === 2, 'two each')
      const changes = stays.changes.length
      const before = [...restarts.assigned.keys()].sort()
      await restarts.source.close({ leave: false })
      const again = await open({ instanceId: 'restarts', limits: { sessionTimeoutMs: 30_000 } })
      await pollUntil([stays, again], () => again.assigned.size === 2, 'its partitions')
      assert.deepEqual([...again.assigned.keys()].sort(), before)
      await pollUntil([stays], () => stays.source.isMember(), 'membership')
      assert.equal(stays.changes.length, changes)
    }
  )

  law('a second process under the same name fences the first, which stops', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    const first = await open({ instanceId: 'same' })
    await pollUntil([first], () => first.assigned.size === 1, 'assignment')
    const second = await open({ instanceId: 'same' })
    await pollUntil([second], () => second.assigned.size === 1, 'taking over')
    await assert.rejects(
      pollUntil([first], () => false, 'the fence'),
      (error: unknown) => error instanceof FatalError && error.reason === 'InstanceFenced'
    )
  })

  law('a member without partitions is a member', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    const members = [await open({ instanceId: 'a' }), await open({ instanceId: 'b' })]
    await pollUntil(members, () => members.every(({ source }) => source.isMember()), 'both members')
    await pollUntil(members, () => members.reduce((sum, { assigned }) => sum + assigned.size, 0) === 1, 'one partition')
  })

  law('new partitions are dealt and what was held is not touched', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 1)
    const source = await open()
    await pollUntil([source], () => source.assigned.size === 1, 'assignment')
    await cluster.addPartitions(topic, 3)
    await pollUntil([source], () => source.assigned.size === 3, 'three partitions')
    assert.deepEqual(source.changes, [`+${topic}-0`, `+${topic}-1`, `+${topic}-2`])
  })

  law(
    'a pattern finds topics by whole name, later ones too, and never internal or dead-letter topics',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(`${topic}.a`)
      await cluster.createTopic(`${topic}.a-dead`)
      await cluster.createTopic(`x${topic}.a`)
      await cluster.createTopic(`__${topic}.a`)
      const source = await open({ topics: [], patterns: [`(__)?${topic}\\..*`], deadLetterTopic: '{topic}-dead' })
      await pollUntil([source], () => source.assigned.size === 1, 'the first topic')
      await cluster.createTopic(`${topic}.b`)
      await pollUntil([source], () => source.assigned.size === 2, 'the new topic')
      for (let round = 0; round < 10; round++) await source.pollOnce(50)
      assert.deepEqual([...source.assigned.keys()].sort(), [`${topic}.a-0`, `${topic}.b-0`])
    }
  )

  law('a named topic that is missing is waited for; others flow meanwhile', async ({ cluster, topic, open }) => {
    const source = await open({ topics: [topic, `${topic}-later`] })
    const missing = (error: unknown) => error instanceof RetryableError && error.code === 'TopicMissing'
    await assert.rejects(
      pollUntil([source], () => false, 'the trouble'),
      missing
    )
    await cluster.createTopic(topic)
    const patient = async () => {
      await source.pollOnce(50).catch((error: unknown) => assert.ok(missing(error), String(error)))
    }
    while (source.assigned.size < 1) await patient()
    await cluster.createTopic(`${topic}-later`)
    await pollUntil([source], () => source.assigned.size === 2, 'the later topic')
    await assert.rejects(source.source.resolveStart(`${topic}-never`, { position: 'Earliest' }), missing)
  })

  law('reports come back with their metadata, and other groups see nothing', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    await cluster.produce(topic, 0, numbered(9))
    const source = await open()
    await pollUntil([source], () => source.assigned.size === 2, 'assignment')
    const partitions = [...source.assigned.values()]
    assert.equal((await source.source.reported(partitions)).size, 0)
    await source.source.report(new Map([[firstOf(topic), { nextOffset: 7, metadata: '{"bronze":1}' }]]))
    assert.deepEqual(
      await source.source.reported(partitions),
      new Map([[`${topic}-0`, { nextOffset: 7, metadata: '{"bronze":1}' }]])
    )
    const other = await open({ groupId: `other-${topic}` })
    assert.equal((await other.source.reported(partitions)).size, 0)
  })
}

function startLaws(law: Law): void {
  law('every form of startFrom begins where it says', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 3)
    await cluster.produce(topic, 0, numbered(4), 'none', 1000)
    await cluster.produce(topic, 0, numbered(4), 'none', 2000)
    await cluster.produce(topic, 1, numbered(3), 'none', 1500)
    await cluster.deleteRecords(topic, 1, 2)
    const { source } = await open()
    const starts = async (from: StartFrom) => [...(await source.resolveStart(topic, from))].sort(([a], [b]) => a - b)
    assert.deepEqual(await starts({ position: 'Earliest' }), [
      [0, 0],
      [1, 2],
      [2, 0]
    ])
    assert.deepEqual(await starts({ position: 'Latest' }), [
      [0, 8],
      [1, 3],
      [2, 0]
    ])
    assert.deepEqual(await starts({ position: 'Timestamp', timestampMs: 1500 }), [
      [0, 4],
      [1, 2],
      [2, 0]
    ])
    assert.deepEqual(await starts({ position: 'Offsets', offsets: new Map([[0, 3]]) }), [
      [0, 3],
      [1, 2],
      [2, 0]
    ])
    const earlier = await open({ groupId: `before-${topic}`, instanceId: 'earlier' })
    await pollUntil([earlier], () => earlier.assigned.size === 3, 'the other group')
    await earlier.source.report(new Map([[firstOf(topic), { nextOffset: 6, metadata: '' }]]))
    assert.deepEqual(await starts({ position: 'Group', groupId: `before-${topic}` }), [
      [0, 6],
      [1, 2],
      [2, 0]
    ])
  })

  law('log starts are those of the brokers', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    await cluster.produce(topic, 0, numbered(5))
    await cluster.deleteRecords(topic, 0, 3)
    const source = await open()
    await pollUntil([source], () => source.assigned.size === 2, 'assignment')
    const starts = await source.source.logStarts([...source.assigned.values()])
    assert.deepEqual(
      starts,
      new Map([
        [`${topic}-0`, 3],
        [`${topic}-1`, 0]
      ])
    )
  })
}

function lossLaws(law: Law): void {
  law(
    'records deleted before they were read are a truncation, told once, and reading goes on when sought',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      await cluster.produce(topic, 0, numbered(10))
      await cluster.deleteRecords(topic, 0, 6)
      const source = await open()
      source.start = () => 2
      await pollUntil([source], () => source.losses.length > 0, 'the loss')
      const [loss] = source.losses
      assert.deepEqual([loss?.kind, loss?.nextOffset, loss?.resumeOffset], ['Truncated', 2, 6])
      for (let round = 0; round < 10; round++) await source.pollOnce(50)
      assert.equal(source.losses.length, 1)
      assert.equal(source.records.length, 0)
      source.source.seek(new Map([[firstOf(topic), 6]]))
      await pollUntil([source], () => source.records.length === 4, 'the rest')
      assert.deepEqual(source.offsets(`${topic}-0`), [6, 7, 8, 9])
    }
  )

  law('an offset beyond the end is a loss', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(3))
    const source = await open()
    source.start = () => 50
    await pollUntil([source], () => source.losses.length > 0, 'the loss')
    const [loss] = source.losses
    assert.deepEqual([loss?.kind, loss?.nextOffset, loss?.resumeOffset], ['BeyondEnd', 50, 3])
  })

  law('a topic made anew under the same name is told with its new id', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(5))
    const source = await open({ limits: { metadataRefreshMs: 3000 } })
    await pollUntil([source], () => source.records.length === 5, 'records')
    const before = source.assigned.get(`${topic}-0`)
    await cluster.deleteTopic(topic)
    await cluster.createTopic(topic)
    await cluster.produce(topic, 0, numbered(7, 'new'))
    await pollUntil([source], () => source.losses.length > 0, 'the loss')
    const [loss] = source.losses
    assert.equal(loss?.kind, 'Recreated')
    assert.equal(partitionId(loss.partition), `${topic}-0`)
    assert.notEqual(loss.partition.topicId, before?.topicId)
    assert.deepEqual([loss.nextOffset, loss.resumeOffset], [5, 0])
    source.source.seek(new Map([[firstOf(topic), 0]]))
    await pollUntil([source], () => source.records.length === 12, 'the new records')
    assert.equal(source.batches.at(-1)?.partition.topicId, loss.partition.topicId)
  })

  law(
    'a topic that is gone is taken away, and assigned under its new id when it comes back',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic)
      const source = await open({ topics: [topic, `${topic}-other`] })
      await cluster.createTopic(`${topic}-other`)
      await pollUntil([source], () => source.assigned.size === 2, 'assignment')
      const before = source.assigned.get(`${topic}-0`)?.topicId
      await cluster.deleteTopic(topic)
      await pollUntil([source], () => source.assigned.size === 1, 'the revocation')
      await cluster.createTopic(topic)
      await pollUntil([source], () => source.assigned.size === 2, 'the new topic')
      assert.notEqual(source.assigned.get(`${topic}-0`)?.topicId, before)
    }
  )
}
