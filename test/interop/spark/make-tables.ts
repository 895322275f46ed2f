import { openObjectStore } from '../../../consumer/store/open.ts'
import { TAKEN_AT_MS } from '../../conformance/batches.ts'
import { commitHour } from '../../conformance/commits.ts'
import { deltaHarness } from '../../fakes/delta-harness.ts'

/** Makes a main and a dead-letter table with checkpoints under a folder: `node make-tables.ts FOLDER [COMMITS]`. */
const [folder, commits = '45'] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: node make-tables.ts FOLDER [COMMITS]')
const ROWS = 200

const store = await openObjectStore(`file://${folder}`, undefined, async () => undefined)
const harness = deltaHarness(store)
const { sink } = harness.process()
await sink.open()
for (let hour = 0; hour < Number(commits); hour++)
  await commitHour(sink, harness, hour, { rows: ROWS, startMs: TAKEN_AT_MS })
await sink.close()
console.log(JSON.stringify({ rows: (await harness.rows()).length, deadLetters: (await harness.deadLetters()).length }))
