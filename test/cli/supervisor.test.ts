import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { startConsumer } from '../../cli/consumer-process.ts'
import { Supervisor, type ConsumerEvent } from '../../cli/supervisor.ts'
import { systemClock, type Clock } from '../../lib/clock.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-supervisor-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** Fifty times as fast as the real one. */
const fastClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 50, signal), random: () => 1 }

const FAKES = {
  steady: `
    process.on('SIGTERM', () => { console.log('flushed'); process.exit(0) })
    process.stdin.on('end', () => { console.log('left alone'); process.exit(0) }).resume()
    console.log('ready')`,
  crashing: `console.log('line one'); console.log('the last line'); process.exit(70)`,
  refusing: `
    import { writeFileSync } from 'node:fs'
    writeFileSync(process.argv[2], JSON.stringify({ reason: 'SecretMissing', message: 'make the Secret' }))
    process.exit(78)`,
  stubborn: `process.on('SIGTERM', () => {}); process.stdin.resume(); setInterval(() => {}, 1000); console.log('ready')`
}

interface Fixture {
  readonly supervisor: Supervisor
  readonly events: ConsumerEvent[]
  /** Resolves once `count` events of this kind have come. */
  readonly seen: (kind: ConsumerEvent['kind'], count?: number) => Promise<void>
  readonly log: (consumer: string) => string
}

/** A supervisor whose consumers run the given fakes, by name. */
async function supervise(context: TestContext, fakes: Record<string, keyof typeof FAKES>): Promise<Fixture> {
  const own = await mkdtemp(join(folder, 'run-'))
  const events: ConsumerEvent[] = []
  let changed = Promise.withResolvers<void>()
  for (const [name, fake] of Object.entries(fakes)) await writeFile(join(own, `${name}.mjs`), FAKES[fake])
  const log = (name: string) => join(own, `${name}.log`)
  const supervisor = new Supervisor({
    clock: fastClock,
    start: async name => {
      const terminationLog = join(own, `${name}.end`)
      const args = [join(own, `${name}.mjs`), terminationLog]
      return startConsumer({ file: process.execPath, args, logFile: log(name), terminationLog })
    },
    onEvent: event => {
      events.push(event)
      changed.resolve()
      changed = Promise.withResolvers()
    }
  })
  context.after(() => supervisor.kill())
  const seen = async (kind: ConsumerEvent['kind'], count = 1) => {
    while (events.filter(event => event.kind === kind).length < count) await changed.promise
  }
  supervisor.start(Object.keys(fakes))
  return { supervisor, events, seen, log }
}

/** Resolves once a consumer has printed a line; its log is a file. */
async function printed(path: string, text: string): Promise<void> {
  while (!(await readFile(path, 'utf8').catch(() => '')).includes(text)) await systemClock.sleep(10)
}

test('a clean stop asks every consumer, waits for it and restarts none', async context => {
  const { supervisor, events, log } = await supervise(context, { 'taxi-0': 'steady', 'taxi-1': 'steady' })
  await Promise.all([printed(log('taxi-0'), 'ready'), printed(log('taxi-1'), 'ready')])
  assert.deepEqual(
    supervisor.status().map(({ state }) => state),
    ['Running', 'Running']
  )
  await supervisor.stop(60_000)
  const ends = events.filter(event => event.kind === 'ended')
  assert.deepEqual(
    ends.map(({ end, wasAsked }) => [end.code, wasAsked]),
    [
      [0, true],
      [0, true]
    ]
  )
  assert.match(await readFile(log('taxi-0'), 'utf8'), /flushed|left alone/)
  assert.deepEqual(
    supervisor.status().map(({ state }) => state),
    ['Stopped', 'Stopped']
  )
  assert.ok(!events.some(({ kind }) => kind === 'restarting'))
})

test('a consumer that crashes is restarted with a growing back-off, and its last lines are told', async context => {
  const { supervisor, events, seen } = await supervise(context, { 'taxi-0': 'crashing' })
  await seen('restarting', 3)
  await supervisor.stop(60_000)
  const waits = events.filter(event => event.kind === 'restarting').map(({ restarts, inMs }) => [restarts, inMs])
  assert.deepEqual(waits.slice(0, 3), [
    [1, 1000],
    [2, 2000],
    [3, 4000]
  ])
  const end = events.find(event => event.kind === 'ended')?.end
  assert.equal(end?.code, 70)
  assert.deepEqual(end?.lastLines, ['line one', 'the last line'])
})

test('a consumer that was killed is restarted under the same name', async context => {
  const { supervisor, events, seen, log } = await supervise(context, { 'taxi-0': 'steady' })
  await printed(log('taxi-0'), 'ready')
  process.kill(supervisor.status()[0]?.pid ?? 0, 'SIGKILL')
  await seen('started', 2)
  const [first, second] = events.filter(event => event.kind === 'started')
  assert.equal(second?.consumer, first?.consumer)
  assert.notEqual(second?.pid, first?.pid)
  assert.equal(events.find(event => event.kind === 'ended')?.end.signal, 'SIGKILL')
  assert.equal(supervisor.status()[0]?.restarts, 1)
  await supervisor.stop(60_000)
})

test('a refused configuration is not restarted and is told with its reason, while the others run on', async context => {
  const { supervisor, events, log } = await supervise(context, { 'taxi-0': 'refusing', 'taxi-1': 'steady' })
  const end = await supervisor.refused
  assert.deepEqual([end.code, end.reason, end.message], [78, 'SecretMissing', 'make the Secret'])
  assert.ok(!events.some(({ kind }) => kind === 'restarting'))
  await printed(log('taxi-1'), 'ready')
  assert.deepEqual(
    supervisor.status().map(({ state }) => state),
    ['Stopped', 'Running']
  )
  await supervisor.stop(60_000)
})

test('a consumer that does not stop within the grace period is killed', async context => {
  const { supervisor, events, log } = await supervise(context, { 'taxi-0': 'stubborn' })
  await printed(log('taxi-0'), 'ready')
  await supervisor.stop(5000)
  assert.deepEqual(
    events.find(event => event.kind === 'killed'),
    { kind: 'killed', consumer: 'taxi-0', afterMs: 5000 }
  )
  assert.equal(events.find(event => event.kind === 'ended')?.end.signal, 'SIGKILL')
})

test('a program that is not there counts as ended and is tried again', async () => {
  const paths = { logFile: join(folder, 'none.log'), terminationLog: join(folder, 'none.end') }
  const end = await startConsumer({ file: join(folder, 'no-such-program'), args: [], ...paths }).ended
  assert.equal(end.code, null)
  assert.equal(end.reason, 'NotStarted')
  assert.match(end.message ?? '', /ENOENT/)
})

test('a start that throws is an end like another', async () => {
  const events: ConsumerEvent[] = []
  const supervisor = new Supervisor({
    clock: fastClock,
    start: () => Promise.reject(new Error('no file descriptors left')),
    onEvent: event => {
      events.push(event)
    }
  })
  supervisor.start(['taxi-0'])
  while (events.length < 4) await systemClock.sleep(5)
  await supervisor.stop(60_000)
  assert.deepEqual(
    events.slice(0, 4).map(({ kind }) => kind),
    ['ended', 'restarting', 'ended', 'restarting']
  )
  const end = events.find(event => event.kind === 'ended')?.end
  assert.deepEqual([end?.reason, end?.message], ['NotStarted', 'no file descriptors left'])
})

test('consumers end by themselves when the run is killed', async () => {
  const own = await mkdtemp(join(folder, 'killed-'))
  const logFile = join(own, 'taxi-0.log')
  await writeFile(join(own, 'taxi-0.mjs'), FAKES.steady)
  const run = `
    const { startConsumer } = await import(${JSON.stringify(new URL('../../cli/consumer-process.ts', import.meta.url).href)})
    startConsumer({ file: process.execPath, args: [${JSON.stringify(join(own, 'taxi-0.mjs'))}],
      logFile: ${JSON.stringify(logFile)}, terminationLog: ${JSON.stringify(join(own, 'end'))} })
    setInterval(() => {}, 1000)`
  const runner = spawn(process.execPath, ['--input-type=module', '--eval', run], { stdio: 'inherit' })
  await printed(logFile, 'ready')
  runner.kill('SIGKILL')
  await once(runner, 'exit')
  await printed(logFile, 'left alone')
})
