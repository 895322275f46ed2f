import { openObjectStore } from '../../../consumer/store/open.ts'
import { TAKEN_AT_MS, batchOf } from '../../conformance/batches.ts'
import { deltaHarness } from '../../fakes/delta-harness.ts'

/** Makes a main and a dead-letter table with checkpoints under a folder: `node make-tables.ts FOLDER [COMMITS]`. */
const [folder, commits = '45'] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: node make-tables.ts FOLDER [COMMITS]')
const ROWS = 200
const HOUR_MS = 3_600_000

const store = await openObjectStore(`file://${folder}`, undefined, async () => undefined)
const harness = deltaHarness(store)
const { sink } = harness.process()
await sink.open()
for (let index = 0; index < Number(commits); index++) {
  const from = index * ROWS
  const parts = [0, 1].map(partition => ({
    partition,
    from,
    to: from + ROWS,
    expected: index === 0 ? undefined : from,
    bad: index % 5 === 0 ? [from + 3] : []
  }))
  const staged = await sink.stage(batchOf(harness.plan, parts, TAKEN_AT_MS + index * HOUR_MS))
  const outcome = await sink.commit([staged])
  if (outcome.status !== 'committed') throw new Error(`commit ${index} was ${outcome.status}`)
}
await sink.close()
console.log(JSON.stringify({ rows: (await harness.rows()).length, deadLetters: (await harness.deadLetters()).length }))
