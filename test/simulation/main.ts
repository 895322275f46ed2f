import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { simulate, type Outcome } from './simulate.ts'

/**
 * `npm run simulate -- --seeds 2000 [--from SEED] [--trace]`: simulates on every core; exit 1 at the first seed that
 * fails, with what it found. Last, one JSON line of totals.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seeds: { type: 'string', default: '2000' }, from: { type: 'string' }, trace: { type: 'boolean' } }
  })
  const from = values.from === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.from)
  const seeds = Number(values.seeds)
  const startedMs = performance.now()
  console.log(`seeds ${from} to ${from + seeds - 1}`)
  if (values.trace)
    await runSeeds(
      { from, to: from + 1, step: 1 },
      outcome => console.log(outcome),
      line => process.stdout.write(line)
    )
  const total = { records: 0, deadLetters: 0, commits: 0, faults: 0, kills: 0, stops: 0, rebalances: 0 }
  const workers = Math.min(availableParallelism(), seeds)
  await Promise.all(
    Array.from({ length: workers }, async (_, index) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { from: from + index, to: from + seeds, step: workers }
      })
      worker.on('message', (outcome: Outcome) => {
        for (const name of Object.keys(total) as (keyof Outcome)[]) total[name] += outcome[name]
      })
      await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    })
  )
  console.log(
    JSON.stringify({ seeds, ...total, from, seconds: Math.round((performance.now() - startedMs) / 100) / 10 })
  )
}

interface Range {
  readonly from: number
  readonly to: number
  readonly step: number
}

async function runSeeds({ from, to, step }: Range, tell: (outcome: Outcome) => void, trace?: (line: string) => void) {
  for (let seed = from; seed < to; seed += step) tell(await simulate(seed, trace === undefined ? {} : { trace }))
}

if (isMainThread) {
  await main().catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
  process.exit()
} else {
  await runSeeds(workerData as Range, outcome => parentPort?.postMessage(outcome))
  process.exit()
}
