import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, afterEach, before, suite, test } from 'node:test'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { sharedS3 } from '../../servers/s3.ts'
import { endedStatus, LocalPods, readText } from './local-pods.ts'
import { eventually, runOperator, type RunningOperator } from './running.ts'

const id = randomBytes(4).toString('hex')
const TOPICS = ['orders', 'payments', 'shipments', 'inventory', 'customers', 'products', 'reviews', 'returns']
const topicOf = (name: string) => `${id}-${name}`

interface Pipeline {
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
    readonly summary: Readonly<Record<string, string>>
    readonly lag?: { readonly records?: number }
    readonly topics?: readonly { readonly committed?: number }[]
    readonly lastCommit?: { readonly table?: string }
  }
}

// One story, told in order: each test goes on from the one before.
suite('the operator, from kubectl apply to kubectl delete', need('kube', 'helm', 'kafka', 's3'), () => {
  let operator: RunningOperator
  let cluster: TestCluster
  let pods: LocalPods
  let kubectl: RunningOperator['kubectl']
  const pipeline = async () => JSON.parse(await kubectl(['get', 'bp', 'shop', '-o', 'json'])) as Pipeline
  const condition = async (type: string) => {
    const { status } = await pipeline()
    const found = status?.conditions?.find(condition => condition.type === type)
    return `${found?.status} ${found?.reason}`
  }
  const until = (type: string, expected: string) =>
    eventually(
      `${type}=${expected}`,
      () => condition(type),
      found => found === expected
    )
  const replicas = async () =>
    Number(await kubectl(['get', 'deploy', 'shop-consumer', '--ignore-not-found', '-o', 'jsonpath={.spec.replicas}']))
  const untilReplicas = (count: number) => eventually(`${count} replicas`, replicas, found => found === count)

  const podsUntil = (count: number) =>
    eventually(
      `${count} pods`,
      () => pods.follow().then(() => pods.count),
      found => found === count
    )
  const summaryOf = (figure: string) => async () => (await pipeline()).status.summary[figure]

  before(async () => {
    const [kube, kafka, s3] = await Promise.all([sharedKube(), sharedKafka(), sharedS3()])
    operator = await runOperator(kube, `circle-${id}`)
    ;({ kubectl } = operator)
    pods = new LocalPods(kube, operator.namespace)
    cluster = new TestCluster(kafka.bootstrap)
    for (const name of TOPICS) await cluster.createTopic(topicOf(name), 3)
    await s3.createBucket(`circle-${id}`)
    const manifest = (await readText('deploy/examples/eight-topics-delta.yaml'))
      .replaceAll('namespace: lakehouse', `namespace: ${operator.namespace}`)
      .replace('name: lakehouse', `name: ${operator.namespace}`)
      .replaceAll('minioadmin', () => 'KEY')
      .replace('accessKeyId: KEY', `accessKeyId: ${s3.accessKeyId}`)
      .replace('secretAccessKey: KEY', `secretAccessKey: ${s3.secretAccessKey}`)
      .replace('kafka.lakehouse.svc:9092', kafka.bootstrap)
      .replace('http://minio.lakehouse.svc:9000', s3.endpoint)
      .replace('s3://lake/warehouse', `s3://circle-${id}/warehouse`)
      .replace('triggerInterval: 10s', 'triggerInterval: 500ms')
      .replaceAll(/- \{name: (\w+), table:/g, (_, name: string) => `- {name: ${name}, topic: ${topicOf(name)}, table:`)
    await kubectl(['apply', '-f', '-'], manifest)
  })

  afterEach(context => {
    if ((context as unknown as { readonly passed: boolean }).passed) return
    console.log(`${operator.lines.join('')}\n${pods.output}`)
  })

  after(async () => {
    await pods?.stop()
    await operator?.stop()
    await cluster?.close()
  })

  test('an applied pipeline becomes a Deployment of three, its configuration, account and budget', async () => {
    await untilReplicas(3)
    const objects = await kubectl(['get', 'deploy,cm,sa,pdb', '-l', 'bronze.dev/pipeline=shop', '-o', 'name'])
    assert.match(
      objects,
      /^deployment.apps\/shop-consumer\nconfigmap\/shop-config-\w{40}\nserviceaccount\/shop-consumer\npoddisruptionbudget.policy\/shop-consumer\n$/
    )
    await until('WorkloadAvailable', 'False Progressing')
    // Topics that were made a moment ago may not all be known to every broker.
    const row = /NAME +READY +TOPICS +SINK +PODS +PARTS +LAG +BEHIND +DLQ +AGE\nshop +False +8 +delta +0\/3 +24 /
    await eventually(
      'the row',
      () => kubectl(['get', 'bp']),
      text => row.test(text)
    )
  })

  test('its consumers, run from the pods’ own specs, make it ready', async () => {
    await podsUntil(3)
    await until('Ready', 'True Ready')
    assert.match(await kubectl(['get', 'events']), /bronzepipeline\/shop +records are read and written/)
  })

  test('what is produced shows as lag, and the lag falls to nothing', async () => {
    const values = Array.from({ length: 100 }, (_, index) => JSON.stringify({ index }))
    for (const name of TOPICS)
      for (let partition = 0; partition < 3; partition++) await cluster.produce(topicOf(name), partition, values)
    await cluster.produce(topicOf('orders'), 0, ['not json', '{"half":'])
    const committed = async () => {
      const { status } = await pipeline()
      return { lag: status.summary['lag'], dead: status.summary['deadLetters'] }
    }
    await eventually('all read', committed, ({ lag, dead }) => lag === '0' && dead === '2')
    const { status } = await pipeline()
    assert.equal(status.lag?.records, 0)
    assert.match(status.lastCommit?.table ?? '', /^bronze_/)
    assert.match(await kubectl(['get', 'bp']), /shop +True +8 +delta +3\/3 +24 +0 +0s +2 /)
  })

  test('a pipeline in peace is not written', async () => {
    const version = () => kubectl(['get', 'bp', 'shop', '-o', 'jsonpath={.metadata.resourceVersion}'])
    const looks = () => operator.samples()
    const [before, first] = [await version(), looks()]
    await eventually(
      'a few looks at the source',
      async () => looks(),
      count => count >= first + 4
    )
    assert.equal(await version(), before)
  })

  test('more partitions bring more consumers', async () => {
    await cluster.addPartitions(topicOf('orders'), 11)
    await untilReplicas(4)
    await podsUntil(4)
    await cluster.produce(topicOf('orders'), 10, ['{"new":true}'])
    await until('Ready', 'True Ready')
    assert.match(await kubectl(['get', 'events']), /Scaled +bronzepipeline\/shop +from 3 to 4 consumers/)
  })

  test('Secrets that consumers read anew by themselves restart none of them when they change', async () => {
    const generation = () => kubectl(['get', 'deploy', 'shop-consumer', '-o', 'jsonpath={.metadata.generation}'])
    const before = await generation()
    await kubectl(['patch', 'secret', 'kafka-user', '-p', '{"stringData":{"password":"another"}}'])
    await kubectl(['patch', 'secret', 'minio', '-p', '{"stringData":{"more":"x"}}'])
    const first = operator.samples()
    await eventually(
      'a few looks at the source',
      async () => operator.samples(),
      count => count >= first + 4
    )
    assert.equal(await generation(), before)
  })

  test('suspend stops all consumers, what comes meanwhile is lag, and its end brings them back', async () => {
    await kubectl(['patch', 'bp', 'shop', '--type=merge', '-p', '{"spec":{"suspend":true}}'])
    await untilReplicas(0)
    await until('Ready', 'False Suspending')
    // The consumers leave the group once they are told to.
    await podsUntil(0)
    await until('Ready', 'False Suspended')
    await cluster.produce(topicOf('payments'), 0, ['1', '2', '3', '4', '5', '6', '7'])
    await eventually('a lag of seven', summaryOf('lag'), lag => lag === '7')
    await kubectl(['patch', 'bp', 'shop', '--type=merge', '-p', '{"spec":{"suspend":false}}'])
    await untilReplicas(4)
    await podsUntil(4)
    await eventually('no lag', summaryOf('lag'), lag => lag === '0')
  })

  test('kubectl scale sets the number of consumers in mode External, and not otherwise', async () => {
    await assert.rejects(kubectl(['scale', 'bp', 'shop', '--replicas=2']))
    const scaling = { mode: 'External', replicas: 1, partitionsPerReplica: null, maxReplicas: null }
    await kubectl(['patch', 'bp', 'shop', '--type=merge', '-p', JSON.stringify({ spec: { scaling } })])
    await untilReplicas(1)
    await kubectl(['scale', 'bp', 'shop', '--replicas=2'])
    await untilReplicas(2)
    await until('ScalingActive', 'True External')
    const scale = await eventually(
      'two in the scale subresource',
      () =>
        kubectl([
          'get',
          '--raw',
          `/apis/bronze.dev/v1alpha1/namespaces/${operator.namespace}/bronzepipelines/shop/scale`
        ]),
      text => (JSON.parse(text) as { status: { replicas: number } }).status.replicas === 2
    )
    assert.match(scale, /"selector":"app.kubernetes.io\/name=bronze-consumer,bronze.dev\/pipeline=shop"/)
  })

  test('a consumer’s last words become the reason for which the pipeline stalls', async () => {
    const list = await kubectl(['get', 'pods', '-o', 'name'])
    const name = list.split('\n')[0]!.replace('pod/', '')
    const words = JSON.stringify({ reason: 'TableOwnedByOther', message: 'lake/other writes bronze_orders' })
    await pods.setStatus(name, endedStatus(78, words))
    await until('Stalled', 'True TableOwnedByOther')
    await until('Ready', 'False TableOwnedByOther')
    assert.match(
      await kubectl(['get', 'events']),
      /TableOwnedByOther +bronzepipeline\/shop +lake\/other writes bronze_orders/
    )
  })

  test('an object that is not ours is left alone, and named', async () => {
    await kubectl(['create', 'serviceaccount', 'other-consumer'])
    const other = (await kubectl(['get', 'bp', 'shop', '-o', 'json']))
      .replaceAll('"name": "shop"', '"name": "other"')
      .replace(/"uid": "[^"]*",?/, '"labels": {"a": "b"}')
      .replace(/"resourceVersion": "[^"]*",/, '')
    await kubectl(['create', '-f', '-'], other)
    const reason = () =>
      kubectl(['get', 'bp', 'other', '-o', 'jsonpath={.status.conditions[?(@.type=="Stalled")].reason}'])
    await eventually('a conflict', reason, found => found === 'NameConflict')
    assert.equal((await kubectl(['get', 'deploy', '-o', 'name'])).includes('other-consumer'), false)
    await kubectl(['delete', 'bp', 'other'])
  })

  test('deleting the pipeline takes everything with it', async () => {
    await kubectl(['delete', 'bp', 'shop'])
    const left = () => kubectl(['get', 'deploy,rs,pods,cm,sa,pdb', '-l', 'bronze.dev/pipeline=shop', '-o', 'name'])
    await eventually('nothing left', left, names => names === '')
    assert.ok(!operator.lines.some(line => line.includes('a reconcile failed')), operator.lines.join(''))
  })
})
