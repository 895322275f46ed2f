// npm run bench:rollout: what replacing all consumers costs, by strategy. See docs/rollouts.md.
import { parseArgs } from 'node:util'
import { startKafka } from '../../test/servers/kafka.ts'
import type { Figures } from './figures.ts'
import { measureRollout } from './run.ts'
import { STRATEGIES } from './strategies.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: STRATEGIES.map(({ name }) => name) },
    runs: { type: 'string', default: '3' },
    consumers: { type: 'string', default: '4' },
    partitions: { type: 'string', default: '12' },
    rate: { type: 'string', default: '1200' },
    'trigger-ms': { type: 'string', default: '1000' },
    'pod-start-ms': { type: 'string', default: '1500' }
  }
})
const unknown = values.only.filter(name => STRATEGIES.every(each => each.name !== name))
if (unknown.length > 0) throw new Error(`no such strategy: ${unknown.join(', ')}`)

const options = {
  consumers: Number(values.consumers),
  partitions: Number(values.partitions),
  recordsPerSecond: Number(values.rate),
  triggerMs: Number(values['trigger-ms']),
  podStartMs: Number(values['pod-start-ms']),
  calmMs: 5000
}
/** The broker's own default; servers for tests wait for no further member. */
const kafka = await startKafka({ properties: { 'group.initial.rebalance.delay.ms': 3000 } })
const strategies = STRATEGIES.filter(({ name }) => values.only.includes(name))
const runs = new Map<string, Figures[]>(strategies.map(({ name }) => [name, []]))
try {
  // All strategies in turn, so that what else the machine does falls on all of them.
  for (let run = 1; run <= Number(values.runs); run++) {
    for (const strategy of strategies) {
      const figures = await measureRollout(strategy, { bootstrap: kafka.bootstrap, ...options })
      runs.get(strategy.name)?.push(figures)
      console.log(`${run} ${strategy.name}: ${JSON.stringify(figures)}`)
    }
  }
} finally {
  await kafka.stop()
}
const results = strategies.map(({ name }) => ({ strategy: name, ...medians(runs.get(name) ?? []) }))
console.log('Medians:')
for (const { strategy, ...figures } of results) console.log(`  ${strategy}: ${JSON.stringify(figures)}`)
if (values.json) console.log(JSON.stringify({ ...options, runs: Number(values.runs), strategies: results }))

function medians(runs: readonly Figures[]): Figures {
  const [first] = runs
  if (first === undefined) throw new Error('--runs must be 1 or more')
  const names = Object.keys(first) as (keyof Figures)[]
  const median = (name: keyof Figures) =>
    runs.map(each => each[name]).toSorted((a, b) => a - b)[Math.floor(runs.length / 2)] ?? 0
  return Object.fromEntries(names.map(name => [name, median(name)])) as unknown as Figures
}
