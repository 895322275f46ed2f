import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import { silentLog } from '../../../lib/log.ts'
import { KubeClient } from '../../../operator/kube/client.ts'
import { PODS } from '../../../operator/kube/kube.ts'
import { Reflector } from '../../../operator/kube/reflector.ts'
import { type Answer, events, listOf, object, refusal, startApiServer } from '../api-server.ts'

/** Real sockets, but nobody waits: each wish to sleep is written down and granted at once. */
function hasty(slept: number[]): Clock & { readonly pass: (ms: number) => void } {
  let nowMs = 0
  return {
    pass: ms => void (nowMs += ms),
    now: () => nowMs,
    random: () => 0,
    sleep: async (ms, signal) => {
      slept.push(ms)
      nowMs += ms
      if (!signal?.aborted) await wait(1)
    }
  }
}

async function following(context: TestContext, answers: { lists: Answer[]; watches: Answer[] }, watchIdleMs = 5000) {
  const server = await startApiServer()
  server.lists.push(...answers.lists)
  server.watches.push(...answers.watches)
  const slept: number[] = []
  const clock = hasty(slept)
  const told: string[] = []
  const troubles: string[] = []
  const stop = new AbortController()
  const reflector = new Reflector({
    kube: new KubeClient({ server: server.url }, clock, { watchIdleMs }),
    type: PODS,
    selection: { namespace: 'n', labelSelector: 'a=b' },
    clock,
    log: silentLog,
    onChange: (now, before) =>
      told.push(`${before?.metadata.resourceVersion ?? '-'} → ${now?.metadata.resourceVersion ?? '-'}`),
    onTrouble: what => troubles.push(what),
    keep: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata })
  })
  const running = reflector.run(stop.signal)
  context.after(async () => {
    stop.abort()
    await running
    await server.stop()
  })
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await wait(2)
  }
  const watched = () => server.requests.filter(({ searchParams }) => searchParams.has('watch'))
  const listed = () => server.requests.filter(({ searchParams }) => !searchParams.has('watch'))
  return { reflector, told, troubles, slept, clock, until, watched, listed }
}

const option = { timeout: 5000 }
const added = (name: string, version: string) => ({ type: 'ADDED', object: object(name, version) })
const bookmark = (version: string) => ({
  type: 'BOOKMARK',
  object: { kind: 'Pod', metadata: { resourceVersion: version } }
})

test('all pages of the list are taken, then changes are followed from there', option, async context => {
  const { reflector, told, until, watched, listed } = await following(context, {
    lists: [listOf('10', [object('a', '1')], 'more'), listOf('10', [object('b', '2')])],
    watches: [
      events([
        { type: 'MODIFIED', object: object('a', '11') },
        { type: 'DELETED', object: object('b', '12') }
      ])
    ]
  })
  await until(() => told.length === 4)
  assert.deepEqual(told, ['- → 1', '- → 2', '1 → 11', '2 → -'])
  assert.equal(reflector.isSynced, true)
  assert.equal(listed()[1]?.searchParams.get('continue'), 'more')
  assert.equal(listed()[0]?.searchParams.get('labelSelector'), 'a=b')
  assert.equal(watched()[0]?.searchParams.get('resourceVersion'), '10')
  assert.equal(watched()[0]?.searchParams.get('allowWatchBookmarks'), 'true')
  assert.equal('managedFields' in reflector.get('n/a')!.metadata, false)
})

test('a watch that ends is resumed from the last bookmark, without a new list', option, async context => {
  const { until, watched, listed } = await following(context, {
    lists: [listOf('10', [])],
    watches: [events([added('a', '11'), bookmark('20')], 'end'), events([])]
  })
  await until(() => watched().length === 2)
  assert.equal(watched()[1]?.searchParams.get('resourceVersion'), '20')
  assert.equal(listed().length, 1)
})

test('a watch that breaks off is resumed where it was', option, async context => {
  const { until, watched, listed, troubles } = await following(context, {
    lists: [listOf('10', [])],
    watches: [events([added('a', '11')], 'break'), events([])]
  })
  await until(() => watched().length === 2)
  assert.equal(watched()[1]?.searchParams.get('resourceVersion'), '11')
  assert.equal(listed().length, 1)
  assert.deepEqual(troubles, ['reconnect'])
})

test('a version that the server has forgotten brings a new list, and what is gone is told', option, async context => {
  const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } }
  const { until, told, troubles } = await following(context, {
    lists: [listOf('10', [object('a', '1'), object('b', '2')]), listOf('30', [object('b', '2'), object('c', '25')])],
    watches: [events([gone], 'end'), events([])]
  })
  await until(() => told.length === 4)
  assert.deepEqual(told, ['- → 1', '- → 2', '- → 25', '1 → -'])
  assert.deepEqual(troubles, ['relist'])
})

test('a watch refused with 410 brings a new list too', option, async context => {
  const { until, listed } = await following(context, {
    lists: [listOf('10', [])],
    watches: [refusal(410), events([])]
  })
  await until(() => listed().length === 2)
})

test('a throttled watch comes back when the server says, without a new list', option, async context => {
  const { until, watched, listed, slept } = await following(context, {
    lists: [listOf('10', [])],
    watches: [refusal(429, { 'retry-after': '7' }), events([])]
  })
  await until(() => watched().length === 2)
  assert.deepEqual(slept, [7000])
  assert.equal(listed().length, 1)
})

test('a throttled list waits as long as it is asked to', option, async context => {
  const { until, slept, watched } = await following(context, {
    lists: [refusal(429, { 'retry-after': '3' }), listOf('10', [])],
    watches: [events([])]
  })
  await until(() => watched().length === 1)
  assert.deepEqual(slept, [3000])
})

test('a server that fails is asked again after waits that double', option, async context => {
  const { until, slept, watched } = await following(context, {
    lists: [refusal(500), refusal(500), refusal(500), listOf('10', [])],
    watches: [events([])]
  })
  await until(() => watched().length === 1)
  assert.deepEqual(slept, [400, 800, 1600])
})

test('a watch that falls silent is given up and resumed', option, async context => {
  const answers = { lists: [listOf('10', [])], watches: [events([bookmark('12')]), events([])] }
  const { until, watched } = await following(context, answers, 20)
  await until(() => watched().length === 2)
  assert.equal(watched()[1]?.searchParams.get('resourceVersion'), '12')
})

test('watches that end at once are not asked for in a hot loop', option, async context => {
  const { until, slept } = await following(context, { lists: [listOf('10', [])], watches: [events([], 'end')] })
  await until(() => slept.length >= 4)
  assert.deepEqual(slept.slice(0, 4), [400, 800, 1600, 3200])
})

test('a list whose next page the server has forgotten begins again', option, async context => {
  const { reflector, until, listed, watched, told, troubles } = await following(context, {
    lists: [
      listOf('10', [object('a', '1'), object('gone', '2')], 'more'),
      refusal(410),
      listOf('30', [object('a', '1')], 'more'),
      listOf('30', [object('b', '25')])
    ],
    watches: [events([])]
  })
  await until(() => watched().length === 1)
  assert.deepEqual(
    listed().map(({ searchParams }) => searchParams.get('continue')),
    [null, 'more', null, 'more']
  )
  assert.equal(watched()[0]?.searchParams.get('resourceVersion'), '30')
  assert.deepEqual(told, ['- → 1', '- → 2', '- → 25', '2 → -'])
  assert.deepEqual(troubles, ['relist'])
  assert.equal(reflector.size, 2)
})

test('an event ERROR that is not about the version is waited out, as long as it says', option, async context => {
  const busy = { type: 'ERROR', object: { code: 429, message: 'busy', details: { retryAfterSeconds: 9 } } }
  const broken = { type: 'ERROR', object: { code: 500, message: 'etcd is away' } }
  const { until, watched, listed, slept } = await following(context, {
    lists: [listOf('10', [])],
    watches: [events([added('a', '11'), busy], 'end'), events([broken], 'end'), events([])]
  })
  await until(() => watched().length === 3)
  assert.deepEqual(slept, [9000, 800])
  assert.equal(watched()[2]?.searchParams.get('resourceVersion'), '11')
  assert.equal(listed().length, 1)
})

test('a kind that is not served yet is asked for politely until it is', option, async context => {
  const absent = Array.from({ length: 6 }, () => refusal(404))
  const { until, slept, watched } = await following(context, {
    lists: [...absent, listOf('10', [object('a', '1')])],
    watches: [events([])]
  })
  await until(() => watched().length === 1)
  assert.deepEqual(slept, [400, 800, 1600, 2500, 2500, 2500])
})

test('a kind that is no longer served is listed anew once it is again', option, async context => {
  const { until, watched, told } = await following(context, {
    lists: [listOf('10', [object('a', '1')]), refusal(404), listOf('40', [])],
    watches: [refusal(404), events([])]
  })
  await until(() => watched().length === 2)
  assert.deepEqual(told, ['- → 1', '1 → -'])
})

test('a server restored from a backup, which is behind what we know, is listed anew', option, async context => {
  const future = refusal(504, {}, 'Timeout: Too large resource version: 90, current: 7')
  const { until, watched } = await following(context, {
    lists: [listOf('90', []), listOf('7', [])],
    watches: [future, events([])]
  })
  await until(() => watched().length === 2)
  assert.equal(watched()[1]?.searchParams.get('resourceVersion'), '7')
})

test('the wait doubles until a watch has lived for ten seconds', option, async context => {
  const slow: Answer = (response, request, url) => {
    clock.pass(10_000)
    events([], 'break')(response, request, url)
  }
  const { until, slept, clock } = await following(context, {
    lists: [listOf('10', [])],
    watches: [events([added('a', '11')], 'break'), refusal(500), slow, refusal(500), refusal(500)]
  })
  await until(() => slept.length >= 5)
  assert.deepEqual(slept.slice(0, 5), [400, 800, 400, 800, 1600])
})

test('an object is kept as the reflector was told to, and its silence ends with every word', option, async context => {
  const { reflector, until, clock } = await following(context, {
    lists: [listOf('10', [object('a', '1', { spec: { containers: [{ name: 'x' }] } })])],
    watches: [events([bookmark('12')])]
  })
  await until(() => reflector.isSynced)
  assert.deepEqual(reflector.get('n/a'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'n', name: 'a', resourceVersion: '1' }
  })
  clock.pass(70_000)
  assert.equal(reflector.silenceMs, 70_000)
})
