/** `bronze run` as a user sees it: real processes, the real consumer, the embedded broker, tables in a folder. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, suite, test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { startBroker, type EmbeddedBroker } from '../../cli/demo/broker/broker.ts'

const program = fileURLToPath(new URL('../../cli/bronze.js', import.meta.url))
/** No test may hang the suite. */
const LIMIT = { timeout: 280_000 }
const PASSWORD = 'correct horse battery'

let folder = ''
let broker: EmbeddedBroker
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-cli-'))
  broker = await startBroker({ users: { alice: PASSWORD } })
})
after(async () => {
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
})

const sasl = { mechanism: 'plain', username: 'alice', password: PASSWORD } as const

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const kafka = new Kafka({ clientId: 'test', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, sasl })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value, i) => ({ key: String(i), value })) })
  await producer.disconnect()
}

const records = (count: number): string[] => Array.from({ length: count }, (_, i) => JSON.stringify({ number: i }))

interface Line {
  readonly type: 'status' | 'event' | 'done'
  readonly reason?: string
  readonly consumer?: string
  readonly lag?: number | null
  readonly consumers?: { readonly name: string; readonly pid: number; readonly restarts: number }[]
  readonly exitCode?: number
  readonly outcome?: string
  readonly message?: string
  readonly status?: { readonly deadLetters: number; readonly lag: number }
}

/** A run that is under way, and what it has told. */
class Run {
  readonly lines: Line[] = []
  output = ''
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  #changed = Promise.withResolvers<void>()

  constructor(file: string, own: string, options: readonly string[]) {
    const args = [program, 'run', '-f', file, '--output', 'json', ...options]
    const env = { ...process.env, TMPDIR: own }
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    const { stdout, stderr } = this.child
    if (stdout !== null) createInterface(stdout).on('line', line => this.#take(line))
    stderr?.on('data', data => (this.output += String(data)))
    this.ended = once(this.child, 'close').then(([code]) => {
      this.#changed.resolve()
      return code as number | null
    })
  }

  #take(line: string): void {
    this.output += `${line}\n`
    this.lines.push(JSON.parse(line) as Line)
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** Resolves with the first line of this kind; fails when the run ends without it. */
  async seen(isIt: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(isIt)
      if (found !== undefined) return found
      if (this.child.exitCode !== null) assert.fail(`the run ended:\n${this.output}`)
      await this.#changed.promise
    }
  }

  event(reason: string): Promise<Line> {
    return this.seen(line => line.reason === reason)
  }

  get last(): Line | undefined {
    return this.lines.at(-1)
  }
}

interface Start {
  readonly topic: string
  readonly values: readonly string[]
  readonly secret?: string
  readonly options?: readonly string[]
}

/** Produces into a topic of its own, and starts a run on it. */
async function start(context: TestContext, { topic, values, secret = PASSWORD, options = [] }: Start) {
  broker.createTopic(topic, { partitions: 2 })
  if (values.length > 0) await produce(topic, values)
  const own = join(folder, topic)
  await mkdir(join(own, 'tmp'), { recursive: true })
  const file = join(own, 'pipeline.yaml')
  await writeFile(file, `${pipelineOf(topic, pathToFileURL(join(own, 'tables')).href)}---\n${secretOf(secret)}`)
  const run = new Run(file, join(own, 'tmp'), options)
  context.after(() => run.child.kill('SIGKILL'))
  return { run, own, tables: join(own, 'tables') }
}

const pipelineOf = (topic: string, location: string): string => `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: ${topic}}
spec:
  source:
    bootstrapServers: ['${broker.bootstrap}']
    security: {protocol: SASL_PLAINTEXT, mechanism: PLAIN, credentialsSecretRef: {name: kafka-user}}
  topics: [{name: ${topic}, table: bronze.records, format: Json}]
  batch: {triggerInterval: 200ms}
  sink: {delta: {location: '${location}'}}
  scaling: {mode: Partitions, partitionsPerReplica: 2}
`

const secretOf = (password: string): string => `apiVersion: v1
kind: Secret
metadata: {name: kafka-user}
stringData: {username: alice, password: '${password}'}
`

/** Rows of a Delta table by the statistics in its log. */
async function rowsOf(table: string): Promise<number> {
  const log = join(table, '_delta_log')
  let rows = 0
  for (const name of (await readdir(log)).filter(name => /^\d{20}\.json$/.test(name))) {
    for (const line of (await readFile(join(log, name), 'utf8')).trim().split('\n')) {
      const { add } = JSON.parse(line) as { add?: { stats: string } }
      if (add !== undefined) rows += (JSON.parse(add.stats) as { numRecords: number }).numRecords
    }
  }
  return rows
}

// Mostly waiting: for a group to form, a back-off to pass, a look at Kafka.
suite('bronze run', { concurrency: 2 }, () => {
  test(
    'a run until caught up leaves every record in its table or the dead letters, and nothing behind',
    LIMIT,
    async context => {
      const values = [...records(500), 'not {json', 'neither']
      const { run, own, tables } = await start(context, { topic: 'orders', values, options: ['--until-caught-up'] })
      assert.equal(await run.ended, 0, run.output)
      assert.equal(run.last?.type, 'done')
      assert.deepEqual([run.last?.outcome, run.last?.exitCode], ['CaughtUp', 0])
      assert.deepEqual([run.last?.status?.lag, run.last?.status?.deadLetters], [0, 2])
      assert.equal(await rowsOf(join(tables, 'bronze/records')), 500)
      assert.equal(await rowsOf(join(tables, 'bronze/dlq_records')), 2)
      assert.equal(
        run.lines.filter(({ reason }) => reason === 'ConsumerStarted').length,
        1,
        'two partitions per consumer'
      )
      assert.ok(!run.output.includes(PASSWORD))
      assert.deepEqual(await readdir(join(own, 'tmp')), [], 'Secrets and logs are gone')
    }
  )

  test('a table that was dropped is filled again, although the group says that all was read', LIMIT, async context => {
    const options = ['--until-caught-up']
    // One of the partitions stays empty.
    const { run, own, tables } = await start(context, { topic: 'again', values: records(1), options })
    assert.equal(await run.ended, 0, run.output)
    await rm(tables, { recursive: true })
    const second = new Run(join(own, 'pipeline.yaml'), join(own, 'tmp'), options)
    context.after(() => second.child.kill('SIGKILL'))
    assert.equal(await second.ended, 0, second.output)
    assert.equal(await rowsOf(join(tables, 'bronze/records')), 1)
  })

  test('a killed consumer is restarted, and Ctrl-C stops the run cleanly', LIMIT, async context => {
    const options = ['--consumers', '2']
    const { run, tables } = await start(context, { topic: 'clicks', values: records(100), options })
    const first = await run.seen(
      ({ type, lag, consumers = [] }) => type === 'status' && lag === 0 && consumers.length === 2
    )
    process.kill(first.consumers?.[0]?.pid ?? 0, 'SIGKILL')
    assert.equal((await run.event('ConsumerEnded')).consumer, 'clicks-0')
    await run.seen(({ type, consumers }) => type === 'status' && consumers?.[0]?.restarts === 1)
    await produce('clicks', records(50))
    const seen = run.lines.length
    await run.seen(line => line.type === 'status' && line.lag === 0 && run.lines.indexOf(line) > seen + 1)
    run.child.kill('SIGINT')
    assert.equal(await run.ended, 0, run.output)
    assert.equal(run.last?.outcome, 'Stopped')
    assert.equal(run.lines.filter(({ reason }) => reason === 'ConsumerStopped').length, 2, run.output)
    assert.equal(await rowsOf(join(tables, 'bronze/records')), 150)
  })

  test('what only a person can mend is told, and the run exits 78', LIMIT, async context => {
    const options = ['--consumers', '1']
    const { run } = await start(context, { topic: 'locked', values: [], secret: 'wrong', options })
    assert.equal(await run.ended, 78, run.output)
    assert.equal(run.last?.outcome, 'Refused')
    assert.match(run.last?.message ?? '', /Authentication/)
    assert.ok(!run.output.includes('wrong'))
  })

  test('consumers stop cleanly by themselves when the run is killed', LIMIT, async context => {
    const logs = join(folder, 'orphan-logs')
    const options = ['--consumers', '1', '--log-dir', logs]
    const { run, tables } = await start(context, { topic: 'orphans', values: records(10), options })
    await run.seen(({ type, lag }) => type === 'status' && lag === 0)
    run.child.kill('SIGKILL')
    const log = () => readFile(join(logs, 'orphans-0.log'), 'utf8')
    while (!(await log()).includes('"message":"stopped"')) await wait(50)
    assert.equal(await rowsOf(join(tables, 'bronze/records')), 10)
  })
})
