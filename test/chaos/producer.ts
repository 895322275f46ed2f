// A process of its own: produces the records of a workload, at a steady pace, and checks that each has the offset it should.
import { parseArgs } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { Producer } from '@platformatic/kafka'
import { mix } from './random.ts'
import { partitionPlans, valueOf, type PartitionPlan } from './workload.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const MAX_BATCH_RECORDS = 800

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '' },
    records: { type: 'string', default: '0' },
    seed: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '0' }
  }
})
const [records, seed, seconds] = [values.records, values.seed, values.seconds].map(Number) as [number, number, number]

const producer = new Producer({
  clientId: 'chaos-producer',
  bootstrapBrokers: [values.bootstrap],
  idempotent: true
})

async function produce(plan: PartitionPlan, from: number, until: number, round: number): Promise<void> {
  const { topic, partition } = plan
  const messages = Array.from({ length: until - from }, (_, index) => ({
    topic,
    partition,
    key: Buffer.from(`k${(from + index) % 100}`),
    value: valueOf(seed, plan, from + index)
  }))
  const compression = CODECS[Math.floor(mix(seed, plan.index, round) * CODECS.length)] ?? 'none'
  const { offsets = [] } = await producer.send({ messages, compression })
  const base = Number(offsets[0]?.offset)
  if (base !== from) throw new Error(`${topic}-${partition}: offset ${base} was given where ${from} was due`)
}

const plans = partitionPlans({ records, seed })
const done = plans.map(() => 0)
const started = performance.now()
// In rounds: every partition is as far as the time that has passed, in batches of sizes that vary.
for (let round = 0; done.some((count, index) => count < (plans[index]?.records ?? 0)); round++) {
  const share = seconds === 0 ? 1 : (performance.now() - started) / 1000 / seconds
  for (const plan of plans) {
    const from = done[plan.index] ?? 0
    const size = 1 + Math.floor(mix(seed, round, plan.index, 3) * MAX_BATCH_RECORDS)
    const until = Math.min(plan.records, Math.ceil(plan.records * share), from + size)
    if (until <= from) continue
    await produce(plan, from, until, round)
    done[plan.index] = until
  }
  await wait(20)
}
await producer.close()
console.log(`produced ${records} records in ${Math.round((performance.now() - started) / 1000)} s`)
