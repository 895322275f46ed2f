import assert from 'node:assert/strict'
import { test, type TestOptions } from 'node:test'
import { type TablePlan } from '../../consumer/columns/bronze.ts'
import { type Sink, type Staged } from '../../consumer/sink.ts'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import { type Fault, type Operation } from '../fakes/faulty-store.ts'
import { TOPIC_ID, batchOf, type PartOptions } from './batches.ts'

/** One empty table per test, and processes that write it. */
export interface SinkHarness {
  readonly plan: TablePlan
  /** With one more column than `plan`. */
  readonly widerPlan: TablePlan
  /** A process of its own, its sink not yet opened. */
  process(options?: { readonly plan?: TablePlan; readonly pipeline?: string }): SinkProcess
  /** `partition-offset` of every visible row, sorted. */
  rows(): Promise<readonly string[]>
  deadLetters(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface SinkProcess {
  readonly sink: Sink
  /** Asked before each operation on the server; what it answers goes wrong. */
  onOperation(fault: (operation: Operation) => Fault | undefined): void
  /** Lets what was delayed take effect now. */
  settle(): Promise<void>
  /** Whether the operation is what makes a commit visible. */
  isCommit(operation: Operation): boolean
}

const TOPICS = ['orders']

export const offsets = (partition: number, from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => `${partition}-${from + index}`)

const sorted = (rows: readonly string[]): readonly string[] => [...rows].sort()

/** The laws of `Sink`, as tests. Faults come from the client's side, so they run on fakes and on real servers alike. */
export function testSink(name: string, makeHarness: () => Promise<SinkHarness>, options: TestOptions = {}): void {
  const law: Law = (what, prove) => {
    test(`${name}: ${what}`, options, async () => {
      const harness = await makeHarness()
      const context = new Context(harness)
      try {
        await prove(context)
      } finally {
        await context.close()
      }
    })
  }
  basics(law)
  fencing(law)
  unknownOutcomes(law)
  deadLetters(law)
  schema(law)
}

type Law = (what: string, prove: (context: Context) => Promise<void>) => void

/** A harness with the few steps that every law takes. */
class Context {
  readonly harness: SinkHarness
  readonly plan: TablePlan
  readonly #opened: Sink[] = []

  constructor(harness: SinkHarness) {
    this.harness = harness
    this.plan = harness.plan
  }

  async opened(options?: { readonly plan?: TablePlan; readonly pipeline?: string }): Promise<SinkProcess> {
    const process = this.harness.process(options)
    this.#opened.push(process.sink)
    await process.sink.open()
    return process
  }

  async stage({ sink }: SinkProcess, parts: readonly PartOptions[], plan = this.plan): Promise<Staged> {
    return await sink.stage(batchOf(plan, parts))
  }

  async commit(process: SinkProcess, parts: readonly PartOptions[], plan = this.plan) {
    return await process.sink.commit([await this.stage(process, parts, plan)])
  }

  async next({ sink }: SinkProcess, partition = 0): Promise<number | undefined> {
    return (await sink.recover(TOPICS)).offsets.get(`orders-${partition}`)?.nextOffset
  }

  async assertRows(...expected: readonly (readonly string[])[]): Promise<void> {
    assert.deepEqual(await this.harness.rows(), sorted(expected.flat()))
  }

  async assertDeadLetters(expected: readonly string[]): Promise<void> {
    assert.deepEqual(await this.harness.deadLetters(), sorted(expected))
  }

  async close(): Promise<void> {
    for (const sink of this.#opened) await sink.close()
    await this.harness.close()
  }
}

const first = (from: number, to: number, extra: Partial<PartOptions> = {}): PartOptions => ({
  from,
  to,
  expected: undefined,
  ...extra
})

function basics(law: Law): void {
  law('a new table holds no offsets and no rows', async context => {
    const process = await context.opened()
    const recovered = await process.sink.recover(TOPICS)
    assert.equal(recovered.offsets.size, 0)
    assert.equal(recovered.topics.size, 0)
    await context.assertRows([])
  })

  law('many processes create one table at the same time', async context => {
    const processes = await Promise.all(Array.from({ length: 5 }, async () => await context.opened()))
    const outcomes = await Promise.all(
      processes.map(async (process, partition) => await context.commit(process, [first(0, 2, { partition })]))
    )
    assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['committed']))
    await context.assertRows(...processes.map((_, partition) => offsets(partition, 0, 2)))
  })

  law('rows and offsets become visible together, and only by the commit', async context => {
    const process = await context.opened()
    const staged = await context.stage(process, [first(0, 3), first(5, 7, { partition: 1 })])
    await context.assertRows([])
    assert.equal(await context.next(process), undefined)
    assert.equal((await process.sink.commit([staged])).status, 'committed')
    await context.assertRows(offsets(0, 0, 3), offsets(1, 5, 7))
    const recovered = await process.sink.recover(TOPICS)
    assert.deepEqual(
      [...recovered.offsets],
      [
        ['orders-0', { topicId: TOPIC_ID, epoch: 0, nextOffset: 3 }],
        ['orders-1', { topicId: TOPIC_ID, epoch: 0, nextOffset: 7 }]
      ]
    )
    assert.deepEqual([...recovered.topics], [['orders', { topicId: TOPIC_ID, epoch: 0 }]])
    assert.equal((await process.sink.recover(['other'])).offsets.size, 0)
  })

  law('what is staged is plain JSON, and another process may commit it', async context => {
    const [one, two] = [await context.opened(), await context.opened()]
    const staged = JSON.parse(
      JSON.stringify(await context.stage(one, [{ from: 0, to: 2, expected: undefined }]))
    ) as Staged
    assert.equal((await two.sink.commit([staged])).status, 'committed')
    await context.assertRows(offsets(0, 0, 2))
  })

  law('several staged batches are one commit, also where one continues another', async context => {
    const process = await context.opened()
    const staged = [
      await context.stage(process, [first(0, 2)]),
      await context.stage(process, [{ from: 2, to: 4 }, first(0, 1, { partition: 1 })])
    ]
    assert.equal((await process.sink.commit(staged)).status, 'committed')
    await context.assertRows(offsets(0, 0, 4), offsets(1, 0, 1))
    assert.equal(await context.next(process), 4)
  })

  law('offsets move without rows', async context => {
    const process = await context.opened()
    assert.equal((await context.commit(process, [first(0, 40, { empty: true })])).status, 'committed')
    assert.equal(await context.next(process), 40)
    assert.equal((await context.commit(process, [{ from: 40, to: 42 }])).status, 'committed')
    await context.assertRows(offsets(0, 40, 42))
  })

  law('offset zero is an offset', async context => {
    const process = await context.opened()
    assert.equal((await context.commit(process, [first(0, 0, { empty: true })])).status, 'committed')
    assert.equal(await context.next(process), 0)
    assert.equal((await context.commit(process, [first(0, 1)])).status, 'fenced')
    assert.equal((await context.commit(process, [{ from: 0, to: 1 }])).status, 'committed')
  })

  law('a topic created anew has keys of its own, and the newest is recovered', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 5), first(0, 3, { partition: 1 })])
    await context.commit(process, [first(0, 2, { topicId: 'other', epoch: 1 })])
    const { offsets: found, topics } = await process.sink.recover(TOPICS)
    assert.deepEqual(found.get('orders-0'), { topicId: 'other', epoch: 1, nextOffset: 2 })
    assert.deepEqual(found.get('orders-1'), { topicId: TOPIC_ID, epoch: 0, nextOffset: 3 })
    assert.deepEqual(topics.get('orders'), { topicId: 'other', epoch: 1 })
  })

  law('a large batch of many partitions is committed whole', async context => {
    const process = await context.opened()
    const parts = Array.from({ length: 8 }, (_, partition) => first(0, 2_000, { partition }))
    assert.equal((await context.commit(process, parts)).status, 'committed')
    assert.equal((await context.harness.rows()).length, 16_000)
  })
}

function fencing(law: Law): void {
  law('a commit that expects another offset is fenced, names the partitions, and leaves nothing', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 5), first(0, 5, { partition: 1 })])
    for (const part of [{ from: 4, to: 9 }, { from: 6, to: 9 }, first(5, 9)]) {
      const outcome = await context.commit(process, [part, { partition: 1, from: 5, to: 6 }])
      assert.equal(outcome.status, 'fenced')
      assert.deepEqual('partitions' in outcome && outcome.partitions, ['orders-0'])
    }
    const unknown = await context.commit(process, [{ partition: 7, from: 3, to: 4 }])
    assert.equal(unknown.status, 'fenced')
    await context.assertRows(offsets(0, 0, 5), offsets(1, 0, 5))
    assert.equal(await context.next(process, 1), 5)
  })

  law('of two processes that write the same partition one wins, and the loser learns who it was', async context => {
    const [one, two] = [await context.opened({ pipeline: 'test/one' }), await context.opened({ pipeline: 'test/two' })]
    const outcomes = await Promise.all([context.commit(one, [first(0, 3)]), context.commit(two, [first(0, 4)])])
    const winner = outcomes.findIndex(({ status }) => status === 'committed')
    const loser = outcomes[1 - winner]
    assert.ok(loser?.status === 'fenced')
    assert.equal(loser.by?.pipeline, winner === 0 ? 'test/one' : 'test/two')
    await context.assertRows(offsets(0, 0, winner === 0 ? 3 : 4))
  })

  law('processes that write different partitions rebase over each other', async context => {
    const processes = await Promise.all(Array.from({ length: 3 }, async () => await context.opened()))
    const write = async (process: SinkProcess, partition: number) => {
      await context.commit(process, [first(0, 2, { partition })])
      for (let from = 2; from < 10; from += 2) {
        const { status } = await context.commit(process, [{ partition, from, to: from + 2 }])
        assert.equal(status, 'committed')
      }
    }
    await Promise.all(processes.map(write))
    await context.assertRows(offsets(0, 0, 10), offsets(1, 0, 10), offsets(2, 0, 10))
  })

  law('a fenced process goes on from where the table is', async context => {
    const [one, two] = [await context.opened(), await context.opened()]
    await context.commit(one, [first(0, 3)])
    assert.equal((await context.commit(two, [first(0, 2)])).status, 'fenced')
    const from = (await context.next(two)) ?? -1
    assert.equal((await context.commit(two, [{ from, to: 6 }])).status, 'committed')
    assert.equal((await context.commit(one, [{ from: 3, to: 4 }])).status, 'fenced')
    await context.assertRows(offsets(0, 0, 6))
  })
}

function unknownOutcomes(law: Law): void {
  for (const fault of ['before', 'after'] as const) {
    law(`a commit whose ${fault === 'after' ? 'answer' : 'request'} is lost is made once`, async context => {
      const process = await context.opened()
      await context.commit(process, [first(0, 3)])
      let left = 1
      process.onOperation(operation => (process.isCommit(operation) && left-- > 0 ? fault : undefined))
      assert.equal((await context.commit(process, [{ from: 3, to: 5 }])).status, 'committed')
      assert.equal((await context.commit(process, [{ from: 5, to: 6 }])).status, 'committed')
      await context.assertRows(offsets(0, 0, 6))
    })

    law(`a commit that nobody can confirm (${fault}) stays unknown until the table is asked`, async context => {
      const process = await context.opened()
      await context.commit(process, [first(0, 3)])
      let isDown = false
      process.onOperation(operation => {
        const isNow = process.isCommit(operation) && !isDown
        if (isNow) isDown = true
        return isNow ? fault : isDown ? 'before' : undefined
      })
      await assert.rejects(context.commit(process, [{ from: 3, to: 5 }]), RetryableError)
      await assert.rejects(process.sink.recover(TOPICS), RetryableError)
      process.onOperation(() => undefined)
      const next = await context.next(process)
      assert.equal(next, fault === 'after' ? 5 : 3)
      await context.assertRows(offsets(0, 0, next))
      assert.equal((await context.commit(process, [{ from: next, to: 7 }])).status, 'committed')
      await context.assertRows(offsets(0, 0, 7))
    })
  }

  law('a commit that takes effect after it was given up never doubles what follows', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 3)])
    let isDown = false
    process.onOperation(operation => {
      const isNow = process.isCommit(operation) && !isDown
      if (isNow) isDown = true
      return isNow ? 'delayed' : isDown ? 'before' : undefined
    })
    await assert.rejects(context.commit(process, [{ from: 3, to: 5 }]), RetryableError)
    process.onOperation(() => undefined)
    assert.equal(await context.next(process), 3)
    const staged = await context.stage(process, [{ from: 3, to: 6 }])
    await process.settle()
    assert.equal((await process.sink.commit([staged])).status, 'fenced')
    assert.equal(await context.next(process), 5)
    await context.assertRows(offsets(0, 0, 5))
  })

  law('a process killed at any step leaves a table that the next one completes', async context => {
    let steps = 0
    let from: number | undefined
    for (let isDone = false; !isDone; steps++) {
      const victim = await context.opened()
      from = await context.next(victim)
      let left = steps
      // Dies in the middle of an operation, which may or may not have taken effect.
      victim.onOperation(() => (left-- > 0 ? undefined : left % 2 === 0 ? 'before' : left === -1 ? 'after' : 'before'))
      const to = (from ?? 0) + 4
      const bad = [(from ?? 0) + 1]
      const part = { from: from ?? 0, to, expected: from, bad }
      isDone = await context.commit(victim, [part]).then(
        () => left >= 0,
        (error: unknown) => {
          assert.ok(error instanceof RetryableError, String(error))
          return false
        }
      )
    }
    assert.ok(steps > 4, 'a commit has several steps')
    const heir = await context.opened()
    const next = (await context.next(heir)) ?? 0
    const bad = offsets(0, 0, next).filter((_, offset) => offset % 4 === 1)
    await context.assertRows(offsets(0, 0, next).filter(row => !bad.includes(row)))
    await context.assertDeadLetters(bad)
  })
}

function deadLetters(law: Law): void {
  law('dead letters are published once, beside the rows they came with', async context => {
    const process = await context.opened()
    await context.commit(process, [first(0, 6, { bad: [1, 4] }), first(0, 2, { partition: 1, bad: [0, 1] })])
    await context.commit(process, [{ from: 6, to: 8, bad: [7] }])
    await process.sink.recover(TOPICS)
    await (await context.opened()).sink.recover(TOPICS)
    await context.assertRows(['0-0', '0-2', '0-3', '0-5', '0-6'])
    await context.assertDeadLetters(['0-1', '0-4', '1-0', '1-1', '0-7'])
  })

  law(
    'a crash before dead letters are out, then a decoder that judges otherwise: each record is in one table',
    async context => {
      const victim = await context.opened()
      await context.commit(victim, [first(0, 2)])
      let commits = 0
      victim.onOperation(operation => {
        if (victim.isCommit(operation)) commits++
        return commits > 1 ? 'before' : undefined
      })
      await assert.rejects(context.commit(victim, [{ from: 2, to: 5, bad: [3] }]), RetryableError)
      await context.assertDeadLetters([])
      const heir = await context.opened()
      const from = (await context.next(heir)) ?? 0
      assert.equal(from, 5)
      await context.assertDeadLetters(['0-3'])
      // What it would call bad now is of no matter for what is decided.
      await context.commit(heir, [{ from, to: 9, bad: [5, 8] }])
      await context.assertRows(['0-0', '0-1', '0-2', '0-4', '0-6', '0-7'])
      await context.assertDeadLetters(['0-3', '0-5', '0-8'])
    }
  )

  law('dead letters of a commit that never was are in no table', async context => {
    const victim = await context.opened()
    victim.onOperation(operation => (victim.isCommit(operation) ? 'before' : undefined))
    await assert.rejects(context.commit(victim, [first(0, 3, { bad: [1] })]), RetryableError)
    const heir = await context.opened()
    assert.equal(await context.next(heir), undefined)
    await context.commit(heir, [first(0, 3)])
    await context.assertRows(offsets(0, 0, 3))
    await context.assertDeadLetters([])
  })

  law('many processes that find unpublished dead letters publish them once', async context => {
    const victim = await context.opened()
    let commits = 0
    victim.onOperation(operation => (victim.isCommit(operation) && ++commits > 1 ? 'before' : undefined))
    await assert.rejects(context.commit(victim, [first(0, 3, { bad: [1] })]), RetryableError)
    const heirs = await Promise.all(Array.from({ length: 4 }, async () => await context.opened()))
    await Promise.all(heirs.map(async ({ sink }) => await sink.recover(TOPICS)))
    victim.onOperation(() => undefined)
    await victim.sink.recover(TOPICS)
    await context.assertDeadLetters(['0-1'])
  })
}

function schema(law: Law): void {
  law('a column that is added later is there, and old rows and offsets stay', async context => {
    const { widerPlan } = context.harness
    const before = await context.opened()
    await context.commit(before, [first(0, 3)])
    const processes = await Promise.all([1, 2, 3].map(async () => await context.opened({ plan: widerPlan })))
    const [after] = processes
    assert.ok(after)
    assert.equal((await context.commit(after, [{ from: 3, to: 5 }], widerPlan)).status, 'committed')
    // A consumer of the older configuration still runs beside it.
    assert.equal(await context.next(before), 5)
    assert.equal((await context.commit(before, [{ from: 5, to: 6 }])).status, 'committed')
    await context.assertRows(offsets(0, 0, 6))
  })

  law('a table whose columns have other types is refused with the remedy', async context => {
    await context.opened()
    const fields = context.plan.schema.fields.map(field =>
      field.name === 'id' ? { ...field, type: 'string' as const } : field
    )
    const other: TablePlan = { ...context.plan, schema: { ...context.plan.schema, fields } }
    await assert.rejects(context.opened({ plan: other }), (error: unknown) => {
      assert.ok(error instanceof FatalError)
      assert.equal(error.reason, 'IncompatibleTable')
      return true
    })
  })
}
