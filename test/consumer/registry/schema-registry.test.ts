import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryableError } from '../../../lib/errors.ts'
import { silentLog } from '../../../lib/log.ts'
import type { Answer, Get } from '../../../consumer/registry/get.ts'
import { CachedRegistry, type Found } from '../../../consumer/registry/schema-registry.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const found = (json: unknown): Answer => ({ kind: 'found', json })
const ABSENT: Answer = { kind: 'absent' }

/** A registry whose answers can be changed on the way; it keeps what it was asked. */
function fake(answers: Record<string, Answer | (() => Answer)>) {
  const asked: string[] = []
  const get: Get = path => {
    asked.push(path)
    const answer = answers[path] ?? ABSENT
    return Promise.resolve().then(() => (typeof answer === 'function' ? answer() : answer))
  }
  const clock = new ManualClock(1_700_000_000_000)
  return { asked, answers, clock, registry: new CachedRegistry(get, clock, silentLog) }
}

const isFound = (value: unknown): value is Found => typeof value === 'object' && value !== null && 'text' in value

/** What is pending, which it must be. */
function pending(registry: CachedRegistry, id: number) {
  const value = registry.lookUp(id)
  assert.ok(value !== undefined && 'ready' in value, `${id} is pending`)
  return value
}

test('a schema is asked for once, however many ask, and kept for ever', async () => {
  const { registry, asked, clock } = fake({
    '/schemas/ids/7': found({ schema: '"string"' }),
    '/schemas/ids/7/versions': found([
      { subject: 'trips-value', version: 3 },
      { subject: 'other-value', version: 1 }
    ])
  })
  const first = pending(registry, 7)
  assert.equal(pending(registry, 7), first)
  await first.ready
  const schema = registry.lookUp(7)
  assert.ok(isFound(schema))
  assert.deepEqual([schema.text, schema.type, schema.references], ['"string"', 'AVRO', []])
  assert.deepEqual([schema.version('trips-value'), schema.version('none-value')], [3, undefined])
  await clock.advance(10 * 24 * 3600_000)
  assert.equal(registry.lookUp(7), schema)
  assert.deepEqual(asked, ['/schemas/ids/7', '/schemas/ids/7/versions'])
})

test('what a schema refers to comes before it, each once, at any depth', async () => {
  const refers = (...subjects: string[]) => subjects.map(subject => ({ name: subject, subject, version: 1 }))
  const { registry, asked } = fake({
    '/schemas/ids/1': found({ schema: 'top', references: refers('a', 'b/c') }),
    '/subjects/a/versions/1': found({ schema: 'A', references: refers('d') }),
    '/subjects/b%2Fc/versions/1': found({ schema: 'B', references: refers('d', 'a') }),
    '/subjects/d/versions/1': found({ schema: 'D' })
  })
  await pending(registry, 1).ready
  const schema = registry.lookUp(1)
  assert.ok(isFound(schema))
  assert.deepEqual(
    schema.references.map(({ name, text }) => [name, text]),
    [
      ['d', 'D'],
      ['a', 'A'],
      ['b/c', 'B']
    ]
  )
  assert.equal(asked.length, 5)
})

test('a registry that is down is asked again with back-off, and says why; its return ends the trouble', async () => {
  let code: string | undefined = 'RegistryUnreachable'
  const answer = () => {
    if (code !== undefined) throw new RetryableError(code, 'trouble')
    return found({ schema: '"int"' })
  }
  const { registry, asked, clock } = fake({ '/schemas/ids/1': answer })
  const wait = pending(registry, 1)
  let isReady = false
  void wait.ready.then(() => (isReady = true))
  assert.equal(wait.trouble, undefined)
  await settle()
  assert.equal(wait.trouble, 'RegistryUnreachable')
  code = 'RegistryUnavailable'
  await clock.advance(3600_000)
  assert.equal(wait.trouble, 'RegistryUnavailable')
  assert.equal(isReady, false)
  assert.ok(asked.length > 50 && asked.length < 300, `${asked.length} requests in an hour`)
  code = undefined
  await clock.advance(30_000)
  assert.equal(isReady, true)
  assert.ok(isFound(registry.lookUp(1)))
})

test('an id that is not known is waited for, for it may come late', async () => {
  const { registry, answers, clock } = fake({})
  const wait = pending(registry, 5)
  await clock.advance(30_000)
  assert.equal(wait.trouble, 'SchemaNotFound')
  answers['/schemas/ids/5'] = found({ schema: '"int"' })
  await clock.advance(10_000)
  await wait.ready
  assert.ok(isFound(registry.lookUp(5)))
})

test('an id that stays unknown for a minute is unknown, for five; then it is asked for once', async () => {
  const { registry, asked, answers, clock } = fake({})
  const wait = pending(registry, 5)
  await clock.advance(59_000)
  pending(registry, 5)
  await clock.advance(11_000)
  await wait.ready
  assert.equal(registry.lookUp(5), undefined)
  const before = asked.length
  await clock.advance(280_000)
  assert.equal(registry.lookUp(5), undefined)
  assert.equal(asked.length, before)
  await clock.advance(30_000)
  await pending(registry, 5).ready
  assert.equal(registry.lookUp(5), undefined)
  assert.equal(asked.length, before + 1)
  answers['/schemas/ids/5'] = found({ schema: '"int"' })
  await clock.advance(310_000)
  await pending(registry, 5).ready
  assert.ok(isFound(registry.lookUp(5)))
})

test('a schema that refers to what is not known is waited for likewise', async () => {
  const { registry, clock } = fake({
    '/schemas/ids/1': found({ schema: 'top', references: [{ name: 'a', subject: 'a', version: 2 }] })
  })
  const wait = pending(registry, 1)
  await clock.advance(70_000)
  await wait.ready
  assert.equal(registry.lookUp(1), undefined)
})

test('time in which the registry is down is not held against an id', async () => {
  let isDown = false
  const answer = () => {
    if (isDown) throw new RetryableError('RegistryUnreachable', 'trouble')
    return ABSENT
  }
  const { registry, clock } = fake({ '/schemas/ids/1': answer })
  const wait = pending(registry, 1)
  await clock.advance(50_000)
  isDown = true
  await clock.advance(100_000)
  isDown = false
  await clock.advance(45_000)
  assert.equal(pending(registry, 1), wait)
  await clock.advance(70_000)
  assert.equal(registry.lookUp(1), undefined)
})

test('garbage for ids does not cost a minute each', async () => {
  const { registry, clock } = fake({})
  for (let id = 1; id <= 3; id++) {
    const wait = pending(registry, id)
    await clock.advance(70_000)
    await wait.ready
  }
  const atMs = clock.now()
  for (let id = 4; id <= 200; id++) {
    await pending(registry, id).ready
    assert.equal(registry.lookUp(id), undefined)
  }
  assert.equal(clock.now(), atMs)
})

test('a registry that does not tell versions is one without them', async () => {
  const { registry } = fake({
    '/schemas/ids/1': found({ schema: '"int"' }),
    '/schemas/ids/1/versions': { kind: 'refused', status: 405 }
  })
  await pending(registry, 1).ready
  const schema = registry.lookUp(1)
  assert.ok(isFound(schema))
  assert.equal(schema.version('a-value'), undefined)
})

test('a subject that the schema was registered under later is found after a while', async () => {
  const { registry, answers, clock } = fake({
    '/schemas/ids/1': found({ schema: '"int"' }),
    '/schemas/ids/1/versions': found([{ subject: 'a-value', version: 1 }])
  })
  await pending(registry, 1).ready
  const schema = registry.lookUp(1)
  assert.ok(isFound(schema))
  answers['/schemas/ids/1/versions'] = found([{ subject: 'b-value', version: 9 }])
  assert.equal(schema.version('b-value'), undefined)
  await clock.advance(300_000)
  assert.equal(schema.version('b-value'), undefined)
  await settle()
  assert.equal(schema.version('b-value'), 9)
})

test('nonsense from the registry is trouble, not an unknown schema', async () => {
  for (const json of [null, [], { schema: 5 }, { schema: 'x', references: [{ subject: 1 }] }]) {
    const { registry } = fake({ '/schemas/ids/1': found(json) })
    const wait = pending(registry, 1)
    await settle()
    assert.equal(wait.trouble, 'RegistryMisanswered')
    registry.close()
    await wait.ready
  }
})

test('closing makes ready what is pending', async () => {
  const { registry } = fake({})
  const wait = pending(registry, 1)
  await settle()
  registry.close()
  await wait.ready
})
