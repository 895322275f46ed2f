import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecretReader } from '../../../operator/kube/secrets.ts'
import { KubeError, SECRETS } from '../../../operator/kube/kube.ts'
import { FakeKube } from '../../fakes/kube.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

async function given(data: Readonly<Record<string, string>>) {
  const [kube, clock] = [new FakeKube(), new ManualClock(0)]
  const put = (data: Readonly<Record<string, string>>) =>
    kube.apply(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'lake', name: 'user' },
      data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))
    } as never)
  await put(data)
  return { kube, clock, put, secrets: new SecretReader(kube, clock) }
}

test('a value is read as a mounted file would be, without a line break at its end', async () => {
  const { secrets } = await given({ password: 'p\n' })
  const read = secrets.reader('lake')
  assert.equal(await read('user', 'password'), 'p')
  assert.equal(await read('user', 'other'), undefined)
  assert.equal(await read('nobody', 'password'), undefined)
})

test('the hash changes with a value and not with the order of keys', async () => {
  const { clock, put, secrets } = await given({ a: '1', b: '2' })
  const first = await secrets.hash('lake', 'user')
  await put({ b: '2', a: '1' })
  await clock.advance(10_000)
  assert.equal(await secrets.hash('lake', 'user'), first)
  await put({ b: '2', a: '3' })
  await clock.advance(10_000)
  assert.notEqual(await secrets.hash('lake', 'user'), first)
  assert.equal(await secrets.hash('lake', 'nobody'), undefined)
})

test('one look serves ten seconds, and a failed one none', async () => {
  const { kube, clock, secrets } = await given({ a: '1' })
  const looks = () => kube.calls.filter(call => call === 'get Secret lake/user').length
  await secrets.hash('lake', 'user')
  await secrets.reader('lake')('user', 'a')
  assert.equal(looks(), 1)
  await clock.advance(10_000)
  kube.failure = new KubeError(403, 'forbidden')
  await assert.rejects(secrets.hash('lake', 'user'))
  kube.failure = undefined
  assert.ok(await secrets.hash('lake', 'user'))
  assert.equal(looks(), 3)
})
