import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { measureRollout } from '../../../bench/rollout/run.ts'
import { STRATEGIES } from '../../../bench/rollout/strategies.ts'
import { startKafka, type KafkaServer } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

const options = { ...need('kafka'), timeout: 300_000 }

let kafka: KafkaServer | undefined
before(async () => {
  if (options.skip !== undefined) return
  // The broker's own default; servers for tests do not wait for a group's further members.
  kafka = await startKafka({ properties: { 'group.initial.rebalance.delay.ms': 3000 }, heapMiB: 256 })
}, options)
after(() => kafka?.stop())

test(
  'replacing all consumers as the operator does takes two rebalances at most, and ingestion goes on',
  options,
  async () => {
    const strategy = STRATEGIES.find(({ name }) => name === 'full-stop')
    assert.ok(strategy !== undefined && kafka !== undefined)
    const { rebalances } = await measureRollout(strategy, {
      bootstrap: kafka.bootstrap,
      consumers: 3,
      partitions: 6,
      recordsPerSecond: 120,
      triggerMs: 500,
      podStartMs: 3000,
      calmMs: 1000
    })
    assert.ok(rebalances >= 1 && rebalances <= 2, `${rebalances} rebalances`)
  }
)
