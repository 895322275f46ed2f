import assert from 'node:assert/strict'
import { after, before, suite } from 'node:test'
import { need } from '../servers/need.ts'
import { NODE } from './node.ts'
import { containerOf, isReady, killProcess, readyPods, type Pod } from './pods.ts'
import { CONSUMERS, OPERATORS, Shop } from './shop.ts'
import { Steps, until } from './steps.ts'

/** Thousands of records for each partition that wait when the pipeline is made: 154 MB in all. */
const BACKLOG = 16

let shop: Shop
const { step } = new Steps(async () => await shop.explain())
const names = (list: readonly Pod[]) => list.map(({ metadata }) => metadata.name).toSorted()
const untilConsumers = (count: number) => readyPods(shop.inLakehouse, CONSUMERS, count)
const untilOperators = (count: number) => readyPods(shop.inBronze, OPERATORS, count)
const kubectl = async (...args: string[]) => await shop.cluster.kube.kubectl(args)

const restarts = ({ status }: Pod) => status.containerStatuses?.[0]?.restartCount

/** Waits for ready consumers none of which was there before. */
const untilOthers = async (count: number, before: readonly Pod[]): Promise<Pod[]> => {
  const isOld = ({ metadata }: Pod) => before.some(old => old.metadata.uid === metadata.uid)
  const all = () => shop.consumers()
  return await until('other consumers', all, now => now.length === count && now.every(isReady) && !now.some(isOld))
}

// One story, told in order, while records keep coming.
suite('the operator on a real cluster', need('node', 'kube', 'helm', 'kafka', 's3', 'readers'), () => {
  before(async () => {
    const started = performance.now()
    shop = await Shop.open()
    console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  cluster, broker and store are up`)
  })
  after(async () => await shop?.close())

  step('two operators run where PodSecurity is restricted', async () => {
    for (const namespace of ['bronze', 'lakehouse']) {
      await shop.inBronze('create', 'namespace', namespace)
      await shop.inBronze('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted')
    }
    await shop.chart('install', 'one')
    await untilOperators(2)
  })

  step('an applied example gets three consumers, which write a large backlog within 256 MiB', async () => {
    await shop.feed.backlog(BACKLOG)
    const { code, stderr } = await shop.cluster.kube.kubectl(['apply', '-f', '-'], await shop.lake.manifest())
    assert.equal(code, 0, stderr)
    const consumers = await untilConsumers(3)
    await shop.until('Ready=True')
    await shop.untilExact()
    const peaks = consumers.map(pod => shop.cluster.memoryPeakBytes(containerOf(pod)) ?? 0)
    console.log(`          peaks of memory: ${peaks.map(bytes => Math.round(bytes / 2 ** 20)).join(', ')} MiB`)
    for (const { status } of await shop.consumers()) assert.equal(status.containerStatuses?.[0]?.restartCount, 0)
  })

  step('a consumer that is deleted is replaced', async () => {
    shop.feed.start()
    const [first, ...others] = await untilConsumers(3)
    await shop.inLakehouse('delete', 'pod', String(first?.metadata.name), '--wait=false')
    const now = await until(
      'another',
      () => untilConsumers(3),
      list => !names(list).includes(String(first?.metadata.name))
    )
    assert.ok(names(others).every(name => names(now).includes(name)))
    await shop.untilWell()
  })

  step('a consumer whose process is killed starts again', async () => {
    const [first] = await untilConsumers(3)
    killProcess(shop.cluster, first!)
    const again = async () => (await shop.consumers()).find(({ metadata }) => metadata.uid === first?.metadata.uid)
    const restarted = await until('a restart', again, pod => pod?.status.containerStatuses?.[0]?.restartCount === 1)
    assert.equal(restarted?.status.containerStatuses?.[0]?.lastState?.terminated?.reason, 'Error')
    await untilConsumers(3)
    await shop.untilWell()
  })

  step('the leading operator is killed, and another leads', async () => {
    const before = await shop.leader()
    const leader = (await untilOperators(2)).find(({ metadata }) => metadata.name === before)
    // It cannot give the lease back, and must not take it again under its old name.
    killProcess(shop.cluster, leader!)
    await shop.inBronze('delete', 'pod', before, '--grace-period=0', '--force')
    await until(
      'another leader',
      () => shop.leader(),
      now => now !== '' && now !== before
    )
    await shop.untilRepaired()
    await untilOperators(2)
  })

  step('a drain of the node takes one consumer at a time', async () => {
    const before = await untilConsumers(3)
    await shop.inBronze('cordon', NODE)
    const drained = await kubectl(
      'drain',
      NODE,
      `--pod-selector=${CONSUMERS}`,
      '--delete-emptydir-data',
      '--timeout=25s'
    )
    assert.match(drained.stderr, /disruption budget/)
    const ready = (await shop.consumers()).filter(isReady)
    assert.equal(ready.filter(pod => names(before).includes(pod.metadata.name)).length, 2)
    await shop.inBronze('uncordon', NODE)
    await untilConsumers(3)
    await shop.untilWell()
  })

  step('the API server crashes and comes back, and consumers do not notice', async () => {
    const before = names(await shop.consumers())
    await shop.cluster.kube.restartApiServer()
    await shop.untilRepaired()
    await shop.untilWell()
    assert.deepEqual(names(await shop.consumers()), before)
  })

  step('a changed password reaches consumers that run: the broker comes back and knows no other', async () => {
    const before = await shop.consumers()
    await shop.lake.changePassword('another-secret')
    await shop.inLakehouse('patch', 'secret', 'kafka-user', '-p', '{"stringData":{"password":"another-secret"}}')
    for (const pod of before) await shop.untilFile(pod, 'kafka-user/password', 'another-secret')
    await shop.feed.stop()
    await shop.lake.kafka.restart()
    await shop.feed.reconnect()
    shop.feed.start()
    await shop.untilNewRows()
    await shop.untilWell()
    const now = await shop.consumers()
    assert.deepEqual(names(now), names(before))
    assert.deepEqual(now.map(restarts), before.map(restarts))
  })

  step('an edit rolls the consumers in two rebalances at most', async () => {
    const [before, generation] = [await shop.consumers(), await shop.generation()]
    await shop.patch({ batch: { triggerInterval: '3s' } })
    await untilOthers(3, before)
    await shop.untilWell()
    const rebalances = (await shop.generation()) - generation
    console.log(`          rebalances: ${rebalances}`)
    assert.ok(rebalances <= 2, `${rebalances} rebalances`)
  })

  step('kubectl scale sets the number of consumers', async () => {
    await shop.patch({ scaling: { mode: 'External', replicas: 3, partitionsPerReplica: null, maxReplicas: null } })
    await shop.inLakehouse('scale', 'bp', 'shop', '--replicas=2')
    await untilConsumers(2)
    await shop.untilWell()
  })

  step('kubectl bronze suspend stops all consumers, and resume brings them back', async () => {
    await shop.bronze('suspend', 'shop')
    await shop.until('Ready=False/Suspended')
    await untilConsumers(0)
    const waiting = async () => (await shop.pipeline()).status?.lag?.records ?? 0
    await until('records that wait', waiting, count => count > 0)
    await shop.bronze('resume', 'shop')
    await untilConsumers(2)
    await shop.untilWell()
  })

  step('an image that cannot be pulled is given up for the one that ran', async () => {
    const isHealthy = async () => (await shop.pipeline()).status?.revision?.healthy
    await until('what runs has proved itself', isHealthy, healthy => healthy === true)
    await shop.patch({ consumer: { image: 'bronze-operator:none', readyTimeout: '20s' } })
    await shop.until('WorkloadAvailable=False/RevisionRolledBack')
    await shop.until('Stalled=True/RevisionRolledBack')
    const consumers = await untilConsumers(2)
    assert.ok(consumers.every(({ spec }) => spec.containers[0]?.image.endsWith(':one')))
    await shop.until('CaughtUp=True')
    await shop.patch({ consumer: { image: null } })
    await shop.untilWell()
  })

  step('an upgrade of the chart leaves the consumers alone', async () => {
    const before = await shop.consumers()
    await shop.chart('upgrade', 'two')
    const operators = await untilOperators(2)
    assert.ok(operators.every(({ spec }) => spec.containers[0]?.image.endsWith(':two')))
    await shop.untilRepaired()
    await shop.untilWell()
    const now = await shop.consumers()
    assert.deepEqual(names(now), names(before))
    assert.ok(now.every(({ spec }) => spec.containers[0]?.image.endsWith(':one')))
  })

  step('kubectl bronze tells the state, and shows the logs of all consumers', async () => {
    assert.match(await shop.bronze('status', 'shop'), /bronze_orders/)
    const log = await shop.bronze('logs', 'shop', '--tail', '3')
    for (const { metadata } of await shop.consumers()) assert.ok(log.includes(metadata.name.slice(-5)), log)
  })

  step('helm test passes', async () => {
    await shop.helm('test', 'bronze', '--timeout', '300s')
  })

  step('after all that each record is in its table just once', async () => {
    await shop.feed.stop()
    await shop.untilExact()
    console.log(`          ${shop.feed.total} records`)
  })

  step('a pipeline is deleted while Kafka is gone', async () => {
    await shop.lake.kafka.kill()
    await shop.inLakehouse('delete', 'bp', 'shop', '--timeout=60s')
    const left = async () => await shop.inLakehouse('get', 'all,cm,sa,pdb', '-l', CONSUMERS, '-o', 'name')
    await until('nothing of it is left', left, text => text === '')
  })

  step('an uninstall leaves nothing behind', async () => {
    await shop.helm('uninstall', 'bronze', '--wait', '--timeout', '300s')
    await shop.inBronze('delete', 'crd', 'bronzepipelines.bronze.dev', '--timeout=60s')
    await until('nothing of ours is left', leftovers, found => found.length === 0)
    await shop.inBronze('delete', 'namespace', 'bronze', 'lakehouse', '--timeout=100s')
  })
})

/** Objects of all kinds that have a label of ours, or lie in the operator's namespace and are not the cluster's own. */
async function leftovers(): Promise<string[]> {
  const kinds = (await shop.inBronze('api-resources', '--verbs=list', '-o', 'name')).split('\n').filter(Boolean)
  const list = kinds.filter(kind => !kind.startsWith('events')).join()
  const found: string[] = []
  for (const label of [
    'app.kubernetes.io/managed-by=bronze-operator',
    'app.kubernetes.io/instance=bronze',
    'bronze.dev/pipeline'
  ])
    found.push(await shop.inBronze('get', list, '-A', '-l', label, '-o', 'name', '--ignore-not-found'))
  found.push(await shop.inBronze('get', 'leases', '-o', 'name'))
  return found.flatMap(text => text.split('\n')).filter(Boolean)
}
