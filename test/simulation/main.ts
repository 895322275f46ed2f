import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

/** `npm run simulate -- --seeds 2000 [--from SEED] [--trace]`: exit 1 at the first seed that fails, with what it found. */
const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '2000' }, from: { type: 'string' }, trace: { type: 'boolean' } }
})
const from = values.from === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.from)
const seeds = Number(values.seeds)
const startedMs = performance.now()
const total = { seeds: 0, records: 0, deadLetters: 0, commits: 0, faults: 0, kills: 0, stops: 0, rebalances: 0 }

console.log(`seeds ${from} to ${from + seeds - 1}`)
for (let seed = from; seed < from + seeds; seed++) {
  try {
    const outcome = await simulate(seed, {}, values.trace ? line => process.stdout.write(line) : undefined)
    total.seeds++
    for (const [name, count] of Object.entries(outcome)) total[name as keyof typeof total] += count
  } catch (error) {
    console.error(`seed ${seed} failed`, error)
    process.exit(1)
  }
}
console.log(JSON.stringify({ ...total, from, seconds: Math.round((performance.now() - startedMs) / 100) / 10 }))
process.exit(0)
