import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { silentLog } from '../../../lib/log.ts'
import { systemClock } from '../../../lib/clock.ts'
import { KubeClient } from '../../../operator/kube/client.ts'
import { CONFIG_MAPS, keyOf, type KubeObject } from '../../../operator/kube/kube.ts'
import { Reflector } from '../../../operator/kube/reflector.ts'
import { hurriedClock } from '../../fakes/hurried-clock.ts'
import { seededPlan, seededRandom } from '../../servers/kube-faults.ts'
import { startKubeProxy, type KubeProxy } from '../../servers/kube-proxy.ts'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { eventually, makeHome, type OperatorHome } from './running.ts'

const NAMES = 20
const WRITES = 250
const LABELS = { 'bronze.dev/test': 'faults' }

suite('a copy of the objects of a kind, behind a proxy that does its worst', need('kube', 'helm'), () => {
  let home: OperatorHome
  let proxy: KubeProxy
  let direct: KubeClient

  before(async () => {
    home = await makeHome(await sharedKube(), `watch-${randomBytes(4).toString('hex')}`)
    direct = new KubeClient(home.access, systemClock)
    const { server, ca } = home.access
    proxy = await startKubeProxy({ server, ca: String(ca) })
  })

  after(async () => {
    direct?.close()
    await proxy?.stop()
  })

  const listed = async () => {
    const selection = { namespace: home.namespace, labelSelector: 'bronze.dev/test=faults' }
    const { items } = await direct.list(CONFIG_MAPS, selection, undefined, new AbortController().signal)
    return versionsOf(items)
  }

  /** Changes objects at random, behind the proxy's back. */
  async function live(random: () => number): Promise<void> {
    for (let step = 0; step < WRITES; step++) {
      const name = `c${Math.floor(random() * NAMES)}`
      const metadata = { namespace: home.namespace, name, labels: LABELS }
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata }
      if (random() < 0.25) await direct.delete(CONFIG_MAPS, object)
      else await direct.apply(CONFIG_MAPS, { ...object, data: { step: String(step) } } as KubeObject)
      if (step % 60 === 59) proxy.cutAll()
      await wait(15)
    }
  }

  for (const seed of [1, 2, 3]) {
    test(`misses nothing, tells nothing twice, and asks no more than once for each fault (seed ${seed})`, async context => {
      const clock = hurriedClock(20)
      const { server, ca } = proxy
      const client = new KubeClient({ ...home.access, server, ca }, clock, { timeoutMs: 500, watchIdleMs: 2000 })
      const told: { readonly key: string; readonly before: number; readonly now: number }[] = []
      const version = (object: KubeObject | undefined) => Number(object?.metadata.resourceVersion ?? 0)
      const troubles: string[] = []
      const reflector = new Reflector({
        kube: client,
        type: CONFIG_MAPS,
        selection: { namespace: home.namespace, labelSelector: 'bronze.dev/test=faults' },
        clock,
        log: silentLog,
        onTrouble: what => troubles.push(what),
        onChange: (now, before) =>
          told.push({ key: keyOf((now ?? before)!), before: version(before), now: version(now) })
      })
      const stop = new AbortController()
      proxy.plan = seededPlan(seed, 0.15)
      const from = proxy.requests.length
      const running = reflector.run(stop.signal)
      context.after(async () => {
        stop.abort()
        await running
        client.close()
      })
      await live(seededRandom(seed))
      proxy.plan = () => undefined
      const expected = await listed()
      await eventually(
        'the copy is complete',
        async () => versionsOf(reflector.values()),
        seen => JSON.stringify(seen) === JSON.stringify(expected)
      )

      const last = new Map<string, number>()
      const newest = new Map<string, number>()
      for (const { key, before, now } of told) {
        assert.equal(before, last.get(key) ?? 0, 'what was there before is what was told last')
        if (now !== 0) assert.ok(now > (newest.get(key) ?? 0), `${key} went back to ${now}`)
        last.set(key, now)
        if (now !== 0) newest.set(key, now)
      }
      const faults = proxy.requests.slice(from).filter(({ fault }) => fault !== undefined).length
      const cuts = Math.floor(WRITES / 60)
      assert.ok(faults > 2, `${faults} faults`)
      assert.ok(troubles.length <= faults + cuts, `${troubles.length} troubles, but ${faults} faults and ${cuts} cuts`)
    })
  }
})

function versionsOf(objects: Iterable<KubeObject>): readonly string[] {
  return [...objects].map(object => `${keyOf(object)} ${object.metadata.resourceVersion}`).toSorted()
}
