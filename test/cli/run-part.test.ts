/** `bronze run --topic`: a part of a pipeline, alone and beside other parts of it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { startBroker, type EmbeddedBroker } from '../../cli/demo/broker/broker.ts'

const program = fileURLToPath(new URL('../../cli/bronze.js', import.meta.url))
const LIMIT = { timeout: 280_000 }

test(
  'parts of a pipeline run one by one or side by side, each with its own entries, in one group',
  LIMIT,
  async context => {
    const { broker, folder, file } = await workplace(context)
    await produce(broker, ['a', 'b'], 40)
    assert.equal(await runPart(file, ['a']), 0)
    assert.deepEqual(rowsIn(await logsOf(folder)), { a: 40 }, 'the other tables are not even created')
    await produce(broker, ['a', 'b'], 10)
    assert.deepEqual(await Promise.all([runPart(file, ['a']), runPart(file, ['b', 'c'])]), [0, 0])
    assert.deepEqual(rowsIn(await logsOf(folder)), { a: 50, b: 50, c: 0 })
  }
)

async function workplace(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-part-'))
  const broker = await startBroker({})
  context.after(async () => {
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  })
  for (const topic of ['a', 'b', 'c']) broker.createTopic(topic, { partitions: 2 })
  const file = join(folder, 'pipeline.yaml')
  await writeFile(
    file,
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: parts}
spec:
  source: {bootstrapServers: ['${broker.bootstrap}']}
  topics: [{name: a, table: bronze.a}, {name: b, table: bronze.b}, {name: c, table: bronze.c}]
  batch: {triggerInterval: 200ms}
  sink: {delta: {location: '${pathToFileURL(join(folder, 'tables')).href}'}}
  scaling: {mode: Partitions, maxReplicas: 1}
`
  )
  return { broker, folder, file }
}

async function produce(broker: EmbeddedBroker, topics: readonly string[], count: number): Promise<void> {
  const kafka = new Kafka({ clientId: 'test', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: count }, (_, i) => ({ key: String(i), value: `record ${i}` }))
  for (const topic of topics) await producer.send({ topic, messages })
  await producer.disconnect()
}

async function runPart(file: string, entries: readonly string[]): Promise<number> {
  const topics = entries.flatMap(entry => ['--topic', entry])
  const child = spawn(process.execPath, [program, 'run', '-f', file, '--until-caught-up', ...topics], {
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const [code] = (await once(child, 'close')) as [number]
  return code
}

/** Texts of the Delta logs by table. */
async function logsOf(folder: string): Promise<Map<string, string>> {
  const tables = join(folder, 'tables/bronze')
  const logs = new Map<string, string>()
  for (const table of (await readdir(tables)).filter(name => !name.startsWith('dlq_'))) {
    const log = join(tables, table, '_delta_log')
    if (!existsSync(log)) continue
    const names = (await readdir(log)).filter(name => /^\d{20}\.json$/.test(name))
    const texts = await Promise.all(names.map(name => readFile(join(log, name), 'utf8')))
    logs.set(table, texts.join(''))
  }
  return logs
}

function rowsIn(logs: ReadonlyMap<string, string>): Record<string, number> {
  const rows = (log: string) =>
    [...log.matchAll(/\\"numRecords\\":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
  return Object.fromEntries([...logs].map(([table, log]) => [table, rows(log)]))
}
