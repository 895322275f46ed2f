/** The decider in a closed loop with consumers that do as told: random pipelines, the same ones in each run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScalingStatus } from '../../../crds/pipeline.ts'
import { decideByLag } from '../../../operator/scaling/by-lag.ts'
import { memoryOf, statusOfMemory } from '../../../operator/scaling/memory.ts'
import { nextRates, ratesOf, type RateHistory } from '../../../operator/scaling/rates.ts'
import { aScaling, MINUTE, NOW } from './given.ts'
import { randomOf, type Random } from './random.ts'

const LOOK_MS = 15_000
const RUNS = 8

interface Change {
  readonly atMs: number
  readonly from: number
  readonly to: number
}

/** A pipeline whose partitions are alike, and whose consumers write `capacity` records per second each. */
class Loop {
  readonly #random: Random
  readonly #partitions: number
  readonly #capacity: number
  readonly #ends: number[]
  readonly #committed: number[]
  #history: RateHistory | undefined
  #status: ScalingStatus | undefined
  #readyMs = 0
  nowMs = NOW
  replicas = 1
  readonly changes: Change[] = []

  constructor(random: Random) {
    this.#random = random
    this.#partitions = 4 + random.below(20)
    this.#capacity = 500 + random.below(2000)
    this.#ends = Array.from({ length: this.#partitions }, () => 0)
    this.#committed = [...this.#ends]
  }

  /** What all partitions together could have written by as many consumers as there are partitions. */
  get most(): number {
    return this.#partitions * this.#capacity
  }

  get waits(): number {
    return this.#ends.reduce((sum, end, index) => sum + end - (this.#committed[index] ?? 0), 0)
  }

  /** Another operator takes over: only the status is left. */
  fail(): void {
    this.#history = undefined
  }

  run(minutes: number, arrival: number): void {
    for (const untilMs = this.nowMs + minutes * MINUTE; this.nowMs < untilMs;) this.#look(arrival)
  }

  #look(arrival: number): void {
    this.nowMs += LOOK_MS
    this.#write(arrival * (0.95 + 0.1 * this.#random.next()))
    const isStable = this.nowMs >= this.#readyMs
    const group = { members: this.replicas, isStable }
    const offsets = this.#ends.map((end, partition) => ({
      topic: 'trips',
      partition,
      committed: Math.floor(this.#committed[partition] ?? 0),
      metadata: '',
      logStart: 0,
      lastStable: Math.floor(end)
    }))
    this.#history = nextRates(this.#history, offsets, this.nowMs, { windowMs: 4 * LOOK_MS, group })
    const { replicas = this.replicas, memory } = decideByLag(
      {
        scaling: aScaling(),
        triggerMs: 5000,
        partitions: this.#partitions,
        areTopicsThere: true,
        current: this.replicas,
        isRolledOut: isStable,
        group,
        rates: ratesOf(this.#history),
        hasSourceTrouble: false,
        hasSinkTrouble: false,
        memory: memoryOf(this.#status)
      },
      this.nowMs
    )
    this.#status = statusOfMemory(memory)
    if (replicas === this.replicas) return
    this.changes.push({ atMs: this.nowMs, from: this.replicas, to: replicas })
    this.replicas = replicas
    this.#readyMs = this.nowMs + 2 * LOOK_MS
  }

  #write(arrival: number): void {
    const seconds = LOOK_MS / 1000
    for (let index = 0; index < this.#partitions; index++) {
      this.#ends[index] = (this.#ends[index] ?? 0) + (arrival * seconds) / this.#partitions
    }
    if (this.nowMs < this.#readyMs) return
    for (let consumer = 0; consumer < this.replicas; consumer++) {
      const own = this.#ends.flatMap((_, index) => (index % this.replicas === consumer ? [index] : []))
      const waiting = own.reduce((sum, index) => sum + this.#lagOf(index), 0)
      const share = waiting === 0 ? 0 : Math.min(1, (this.#capacity * seconds) / waiting)
      for (const index of own) this.#committed[index] = (this.#committed[index] ?? 0) + share * this.#lagOf(index)
    }
  }

  #lagOf = (index: number): number => (this.#ends[index] ?? 0) - (this.#committed[index] ?? 0)
}

test('under a steady load the number settles within two hours and stays, and nothing is left waiting', () => {
  for (let run = 0; run < RUNS; run++) {
    const random = randomOf(run)
    const loop = new Loop(random)
    const arrival = loop.most * 0.9 * random.next()
    loop.run(120, arrival)
    const settled = loop.changes.length
    loop.run(240, arrival)
    assert.deepEqual(loop.changes.slice(settled), [], `run ${run}: ${JSON.stringify(loop.changes)}`)
    assert.ok(loop.waits <= arrival * 60, `run ${run}: ${loop.waits} wait at ${arrival}/s`)
  }
})

test('two changes are a window apart, and fewer come only after the stabilisation time without a change', () => {
  for (let run = 0; run < RUNS; run++) {
    const random = randomOf(1000 + run)
    const loop = new Loop(random)
    for (let turn = 0; turn < 24; turn++) loop.run(1 + random.below(20), loop.most * random.next())
    let beforeMs = 0
    for (const { atMs, from, to } of loop.changes) {
      const leastMs = to < from ? aScaling().stabilizationMs : 4 * LOOK_MS
      assert.ok(atMs - beforeMs >= leastMs, `run ${run}: ${JSON.stringify(loop.changes)}`)
      beforeMs = atMs
    }
  }
})

test('after a load that came and went there are as many as after the last time it did', () => {
  for (let run = 0; run < RUNS; run++) {
    const random = randomOf(2000 + run)
    const loop = new Loop(random)
    const low = loop.most * (0.05 + 0.4 * random.next())
    const high = low + (loop.most * 0.9 - low) * random.next()
    const counts = Array.from({ length: 2 }, () => {
      loop.run(120, high)
      loop.run(300, low)
      return loop.replicas
    })
    assert.equal(counts[1], counts[0], `run ${run}: ${JSON.stringify(loop.changes)}`)
  }
})

test('a new leader every few minutes makes no other number of it, and no more changes', () => {
  for (let run = 0; run < RUNS; run++) {
    const loops = [false, true].map(fails => {
      const random = randomOf(3000 + run)
      const loop = new Loop(random)
      for (const share of [0.8, 0.1]) {
        const arrival = loop.most * share
        for (let turn = 0; turn < 40; turn++) {
          loop.run(6, arrival)
          if (fails) loop.fail()
        }
      }
      return loop
    })
    const [whole, failing] = loops.map(({ replicas, changes }) => ({ replicas, changes: changes.length }))
    assert.equal(failing?.replicas, whole?.replicas, `run ${run}`)
    assert.ok((failing?.changes ?? 0) <= (whole?.changes ?? 0), `run ${run}`)
  }
})
