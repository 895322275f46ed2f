/** `bronze replay -f` as a user sees it: real processes, the embedded broker, objects in a folder. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Kafka, logLevel } from 'kafkajs'
import { startBroker, type EmbeddedBroker } from '../../cli/demo/broker/broker.ts'

const program = fileURLToPath(new URL('../../cli/bronze.js', import.meta.url))
const LIMIT = { timeout: 240_000 }
const DAY_MS = Date.UTC(2026, 10, 1)
const RECORDS = 3000

let folder = ''
let file = ''
let broker: EmbeddedBroker
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-replay-'))
  broker = await startBroker({})
  broker.createTopic('trips', { partitions: 2 })
  const producer = new Kafka({ clientId: 'test', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  for (let from = 0; from < RECORDS; from += 100) {
    const messages = Array.from({ length: 100 }, (_, i) => ({
      partition: 0,
      value: `{"number":${from + i}}`,
      timestamp: String(DAY_MS + (from + i) * 1000)
    }))
    await producer.send({ topic: 'trips', messages: [...messages, { ...message(from), partition: 1 }] })
  }
  await producer.disconnect()
  file = join(folder, 'pipeline.yaml')
  await writeFile(
    file,
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: trips}
spec:
  source: {bootstrapServers: ['${broker.bootstrap}']}
  topics: [{name: trips, table: bronze.trips, format: Json}]
  batch: {triggerInterval: 300ms, maxRecords: 100}
  sink: {s3: {location: '${pathToFileURL(join(folder, 'tables')).href}', format: Ndjson, compression: Gzip, layout: Glob}}
`
  )
})
after(async () => {
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
})

const message = (number: number) => ({ value: `{"number":${number}}`, timestamp: String(DAY_MS + number * 1000) })

interface Told {
  readonly type?: string
  readonly consumers?: readonly { readonly pid?: number | null }[]
  readonly lag?: number | null
  readonly outcome?: string
}

async function replay(options: readonly string[], onLine: (line: Told) => void = () => {}) {
  const child = spawn(process.execPath, [program, 'replay', '-f', file, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder }
  })
  let output = ''
  let errors = ''
  createInterface(child.stdout).on('line', line => {
    output += `${line}\n`
    if (line.startsWith('{')) onLine(JSON.parse(line) as Told)
  })
  child.stderr.on('data', data => (errors += String(data)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output, errors }
}

/** `partition-offset` of each row, in order. */
async function rowsOf(table: string): Promise<readonly string[]> {
  const root = join(folder, 'tables', ...table.split('.'))
  const files = await readdir(root, { recursive: true })
  const rows: [number, number][] = []
  for (const name of files.filter(name => name.endsWith('.ndjson.gz'))) {
    for (const line of gunzipSync(await readFile(join(root, name)))
      .toString()
      .trim()
      .split('\n')) {
      const row = JSON.parse(line) as { _kafka_partition: number; _kafka_offset: number }
      rows.push([row._kafka_partition, row._kafka_offset])
    }
  }
  return rows.toSorted(([a, b], [c, d]) => a - c || b - d).map(row => row.join('-'))
}

const range = (partition: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${partition}-${from + i}`)

test('a range of offsets of one partition is replayed exactly, though consumers are killed', LIMIT, async () => {
  let kills = 0
  const { code, output, errors } = await replay(
    ['--partition', '0', '--from', '150', '--to', '2777', '--id', 'offsets', '-o', 'json'],
    ({ type, consumers = [], lag }) => {
      if (type !== 'status' || kills >= 2 || lag === 0) return
      for (const { pid } of consumers) {
        if (typeof pid !== 'number') continue
        process.kill(pid, 'SIGKILL')
        kills++
      }
    }
  )
  assert.equal(code, 0, output + errors)
  assert.ok(kills > 0)
  assert.match(output, /"outcome":"Completed"/)
  assert.deepEqual(await rowsOf('bronze.trips_replay_offsets'), range(0, 150, 2777))
})

test('a range of times is replayed exactly, and told from the table; a second call adds nothing', LIMIT, async () => {
  const times = ['--from', '2026-11-01T00:05Z', '--to', '2026-11-01T00:10:00.500Z', '--id', 'times']
  const first = await replay(times)
  assert.equal(first.code, 0, first.output + first.errors)
  const rows = [...range(0, 300, 601), ...range(1, 3, 7)]
  assert.deepEqual(await rowsOf('bronze.trips_replay_times'), rows)
  assert.match(first.output, /completed/)
  assert.match(first.output, /bronze\.trips_replay_times/)
  assert.equal((await replay(times)).code, 0)
  assert.deepEqual(await rowsOf('bronze.trips_replay_times'), rows)
})

test('a replay into the table of the live pipeline is refused, with the statement that merges', LIMIT, async () => {
  const { code, errors } = await replay([
    '--from',
    'earliest',
    '--to',
    'latest',
    '--table',
    'bronze.trips',
    '--id',
    'x'
  ])
  assert.equal(code, 2)
  assert.match(errors, /rows would be there twice/)
  assert.match(errors, /ANTI JOIN .* ON live\._ingestion_id = replay\._ingestion_id/)
})
