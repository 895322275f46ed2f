import assert from 'node:assert/strict'
import type { TablePlan } from '../../consumer/columns/bronze.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { SettledSink } from '../../crds/settled.ts'
import type { CommitOutcome, Sink, Staged } from '../../consumer/sink.ts'
import type { Fault, Operation } from '../fakes/faulty-store.ts'
import { batchOf, type PartOptions } from './batches.ts'

/** One empty table per test, and processes that write it. */
export interface SinkHarness {
  readonly kind: SettledSink['kind']
  readonly plan: TablePlan
  /** With one more column than `plan`. */
  readonly widerPlan: TablePlan
  /** Whether rows and their dead letters become visible in one step. */
  readonly isOneStep?: boolean
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

export const TOPICS = ['orders']

export const offsets = (partition: number, from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => `${partition}-${from + index}`)

const sorted = (rows: readonly string[]): readonly string[] => [...rows].sort()

export type Law = (what: string, prove: (context: SinkContext) => Promise<void>) => void

/** A harness with the few steps that every law takes. */
export class SinkContext {
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

  async commit(process: SinkProcess, parts: readonly PartOptions[], plan = this.plan): Promise<CommitOutcome> {
    return await process.sink.commit([await this.stage(process, parts, plan)])
  }

  /** Commits `part`, but dies before its dead letters are out, if these are a step of their own. */
  async commitAndDie(process: SinkProcess, part: PartOptions): Promise<void> {
    if (this.harness.isOneStep === true) {
      assert.equal((await this.commit(process, [part])).status, 'committed')
      return
    }
    let commits = 0
    process.onOperation(operation => {
      if (process.isCommit(operation)) commits++
      return commits > 1 ? 'before' : undefined
    })
    await assert.rejects(this.commit(process, [part]), RetryableError)
    await this.assertDeadLetters([])
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

/** A part whose partition the table does not know yet. */
export const first = (from: number, to: number, extra: Partial<PartOptions> = {}): PartOptions => ({
  from,
  to,
  expected: undefined,
  ...extra
})
