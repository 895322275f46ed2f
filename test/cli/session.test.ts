import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import { World } from './session-world.ts'

test('as many consumers as the scaling gives, more when partitions are added', async () => {
  const world = new World()
  world.offsets = [
    [0, 10],
    [0, 10],
    [0, 10]
  ]
  const session = world.session()
  world.next(
    () => (world.offsets = [...world.offsets, [0, 0], [0, 0]]),
    () => session.interrupt('SIGTERM')
  )
  const end = await session.run()
  assert.deepEqual(
    world.statuses.map(({ consumers }) => consumers.length),
    [2, 3]
  )
  assert.deepEqual([...world.started.keys()], ['taxi-0', 'taxi-1', 'taxi-2'])
  assert.deepEqual([end.outcome, end.exitCode], ['Stopped', 0])
})

test('--consumers goes before the scaling, and does not wait for Kafka', async () => {
  const world = new World()
  world.trouble = new RetryableError('SourceUnreachable', 'no broker answers')
  const session = world.session({ consumers: 4 })
  world.next(() => session.interrupt('SIGINT'))
  await session.run()
  assert.equal(world.started.size, 4)
  assert.equal(world.statuses[0]?.trouble, 'SourceUnreachable: no broker answers')
})

test('caught up: the consumers are stopped, the last figures shown, and the run exits 0', async () => {
  const world = new World()
  const session = world.session({ untilCaughtUp: true })
  world.next(
    () => (world.offsets = [[10, 10]]),
    () => {},
    () => (world.fetchLags = new Map([['trips/0', 0]]))
  )
  const end = await session.run()
  assert.deepEqual([end.outcome, end.exitCode], ['CaughtUp', 0])
  assert.equal(world.statuses.length, 3, 'an old report alone does not count: the consumers must have read as far')
  assert.equal(world.last?.lag, 0)
  assert.equal(session.failures, 0)
  assert.ok(!world.consumer('taxi-0').wasKilled)
})

test('beside consumers of another run, which have all partitions, a run catches up with what they report', async () => {
  const world = new World()
  world.others = 1
  const session = world.session({ untilCaughtUp: true })
  world.next(
    () => (world.offsets = [[9, 10]]),
    () => (world.offsets = [[10, 10]])
  )
  const end = await session.run()
  assert.deepEqual([end.outcome, world.statuses.length], ['CaughtUp', 3])
})

test('a consumer that fails in its last commit spoils the catching up', async () => {
  const world = new World()
  world.offsets = [[10, 10]]
  world.fetchLags = new Map([['trips/0', 0]])
  const session = world.session({ untilCaughtUp: true, consumers: 1 })
  world.next(() => (world.consumer('taxi-0').onStop = { code: 70 }))
  const end = await session.run()
  assert.deepEqual([end.outcome, end.exitCode], ['Stopped', 1])
  assert.equal(session.failures, 1)
})

test('a consumer that is stopped while it starts has nothing to commit, and spoils nothing', async () => {
  const world = new World()
  world.offsets = [[10, 10]]
  world.fetchLags = new Map([['trips/0', 0]])
  const session = world.session({ untilCaughtUp: true, consumers: 2 })
  world.next(() => (world.consumer('taxi-1').onStop = { signal: 'SIGTERM' }))
  assert.equal((await session.run()).exitCode, 0)
  assert.equal(session.failures, 0)
})

test('a refused configuration ends the run with 78 and its reason, after the others have stopped', async () => {
  const world = new World()
  const session = world.session({ consumers: 2 })
  const refusal = { code: 78, reason: 'SecretMissing', message: 'make the Secret' }
  world.next(() => world.consumer('taxi-1').end(refusal))
  const end = await session.run()
  assert.deepEqual(
    [end.outcome, end.exitCode, end.message],
    ['Refused', 78, 'cannot go on: SecretMissing: make the Secret']
  )
  assert.ok(world.reasons().includes('ConsumerRefused'))
  assert.deepEqual(world.reasons().slice(-2), ['Stopping', 'ConsumerStopped'])
})

test('a missing Secret or refused login at the start ends the run, while a lost broker is waited for', async () => {
  const missing = new FatalError('SecretMissing', 'make the Secret')
  const troubles = [
    new RetryableError('SecretMissing', missing.message, { cause: missing }),
    new RetryableError('SourceAuthenticationFailed', 'the broker refuses the login')
  ]
  for (const trouble of troubles) {
    const world = new World()
    world.trouble = trouble
    const { exitCode, message } = await world.session().run()
    assert.deepEqual([exitCode, message], [78, `cannot go on: ${trouble.code}: ${trouble.message}`])
  }
  const world = new World()
  const session = world.session()
  world.next(
    () => (world.trouble = troubles[1]),
    () => {},
    () => session.interrupt('SIGTERM')
  )
  assert.equal((await session.run()).exitCode, 0, 'what has worked before may work again')
})

test('a consumer that is lost is started again and the run goes on', async () => {
  const world = new World()
  const session = world.session({ consumers: 1 })
  const stopWhenBack = () => {
    const starts = world.reasons().filter(reason => reason === 'ConsumerStarted')
    if (starts.length === 2) session.interrupt('SIGTERM')
    else world.next(stopWhenBack)
  }
  world.next(() => world.consumer('taxi-0').end({ signal: 'SIGKILL' }), stopWhenBack)
  await session.run()
  assert.deepEqual(world.reasons().slice(0, 4), [
    'ConsumerStarted',
    'ConsumerEnded',
    'ConsumerRestarting',
    'ConsumerStarted'
  ])
  assert.equal(world.statuses.at(-1)?.consumers[0]?.restarts, 1)
  assert.equal(session.failures, 1)
})

test('trouble is told when it comes and when it goes, not each time it is seen', async () => {
  const world = new World()
  const session = world.session({ consumers: 1 })
  world.next(
    () => (world.trouble = new RetryableError('SourceUnreachable', 'gone')),
    () => {},
    () => (world.trouble = undefined),
    () => (world.sinkError = 'S3Unavailable'),
    () => {},
    () => (world.sinkError = undefined),
    () => session.interrupt('SIGTERM')
  )
  await session.run()
  const told = world.reasons().filter(reason => /^(Source|Sink)/.test(reason))
  assert.deepEqual(told, ['SourceUnreachable', 'SourceReachable', 'SinkFailing', 'SinkWorks'])
  assert.deepEqual(
    world.statuses.map(({ trouble }) => trouble?.split(':')[0]),
    [
      undefined,
      'SourceUnreachable',
      'SourceUnreachable',
      undefined,
      ...Array(2).fill('table bronze.trips cannot be written'),
      undefined
    ]
  )
})

test('an interrupted catching up does not look like success', async () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const) {
    const world = new World()
    const session = world.session({ untilCaughtUp: true })
    world.next(() => session.interrupt(signal))
    assert.equal((await session.run()).exitCode, exitCode)
  }
})

test('a second Ctrl-C kills, but the same one seen twice does not', async () => {
  for (const [laterMs, isKilled] of [
    [10, false],
    [2000, true]
  ] as const) {
    const world = new World()
    const session = world.session({ consumers: 1 })
    world.next(() => {
      const consumer = world.consumer('taxi-0')
      consumer.onStop = undefined
      session.interrupt('SIGINT')
      world.pass(laterMs)
      session.interrupt('SIGINT')
      if (!isKilled) consumer.end({ code: 0 })
    })
    const end = await session.run()
    assert.deepEqual([end.outcome, end.exitCode], isKilled ? ['Killed', 130] : ['Stopped', 0])
    assert.equal(world.consumer('taxi-0').wasKilled, isKilled)
  }
})

test('after a defect the consumers are stopped and the last line is written, then it is thrown', async () => {
  const world = new World()
  const session = world.session({ consumers: 1 })
  world.next(() => {
    throw new TypeError('x is undefined')
  })
  await assert.rejects(session.run(), TypeError)
  assert.deepEqual(world.reasons().at(-1), 'ConsumerStopped')
  assert.equal(world.ended?.outcome, 'Failed')
})
