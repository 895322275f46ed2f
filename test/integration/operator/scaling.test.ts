import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, afterEach, before, suite, test } from 'node:test'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { sharedS3 } from '../../servers/s3.ts'
import { LocalPods } from './local-pods.ts'
import { eventually, runOperator, type RunningOperator } from './running.ts'

const id = randomBytes(4).toString('hex')
const topic = `${id}-trips`
const PARTITIONS = 6

/** Each consumer may hold 64 KiB and commits once a second, so that it is slow; a window of rates is two seconds. */
const manifest = (
  bootstrap: string,
  s3: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string }
) => `
apiVersion: v1
kind: Secret
metadata: {name: store}
stringData: {accessKeyId: ${s3.accessKeyId}, secretAccessKey: ${s3.secretAccessKey}}
---
apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: trips}
spec:
  source: {bootstrapServers: ['${bootstrap}']}
  topics: [{name: trips, topic: ${topic}, table: trips, format: Json}]
  batch: {triggerInterval: 500ms, maxBytes: 64Ki}
  sink:
    s3: {location: 's3://scaling-${id}/raw', format: Ndjson, s3: {endpoint: '${s3.endpoint}', credentialsSecretRef: {name: store}}}
  scaling: {mode: Lag, minReplicas: 0, maxReplicas: 5, catchUpTime: 5s, stabilizationTime: 3s, idleTime: 6s}
`

// One story, told in order: each test goes on from the one before.
suite('consumers by lag, from a backlog to none and back', need('kube', 'helm', 'kafka', 's3'), () => {
  let operator: RunningOperator
  let cluster: TestCluster
  let pods: LocalPods
  let kubectl: RunningOperator['kubectl']
  /** Numbers of consumers that were seen. */
  const seen: number[] = []
  const replicas = async () => {
    await pods.follow()
    const text = await kubectl([
      'get',
      'deploy',
      'trips-consumer',
      '--ignore-not-found',
      '-o',
      'jsonpath={.spec.replicas}'
    ])
    const count = text === '' ? -1 : Number(text)
    if (count !== seen.at(-1)) seen.push(count)
    return count
  }
  const untilReplicas = (count: number) => eventually(`${count} consumers`, replicas, found => found === count)
  const untilSummary = (figure: string, expected: string) =>
    eventually(
      `${figure} ${expected}`,
      async () => (await replicas(), kubectl(['get', 'bp', 'trips', '-o', `jsonpath={.status.summary.${figure}}`])),
      text => text === expected
    )
  const scaling = async () => {
    const path =
      '{.status.conditions[?(@.type=="ScalingActive")].status} {.status.conditions[?(@.type=="ScalingActive")].reason}'
    return kubectl(['get', 'bp', 'trips', '-o', `jsonpath=${path}`])
  }
  /** In batches of 40 KiB: two of them fill a consumer. */
  const produce = async (batches: number) => {
    const values = Array.from({ length: 10 }, (_, index) => JSON.stringify({ index, filler: 'x'.repeat(4096) }))
    for (let batch = 0; batch < batches; batch++) {
      for (let partition = 0; partition < PARTITIONS; partition++) await cluster.produce(topic, partition, values)
    }
  }

  before(async () => {
    const [kube, kafka, s3] = await Promise.all([sharedKube(), sharedKafka(), sharedS3()])
    operator = await runOperator(kube, `scaling-${id}`)
    ;({ kubectl } = operator)
    pods = new LocalPods(kube, operator.namespace)
    cluster = new TestCluster(kafka.bootstrap)
    await cluster.createTopic(topic, PARTITIONS)
    await s3.createBucket(`scaling-${id}`)
    await kubectl(['apply', '-f', '-'], manifest(kafka.bootstrap, s3))
  })

  afterEach(context => {
    if ((context as unknown as { readonly passed: boolean }).passed) return
    console.log(`${seen.join()}\n${operator.lines.join('')}\n${pods.output.slice(-20_000)}`)
  })

  after(async () => {
    await pods?.stop()
    await operator?.stop()
    await cluster?.close()
  })

  test('begins with one consumer, although nothing waits', async () => {
    await untilReplicas(1)
    await untilSummary('pods', '1/1')
  })

  test('a backlog brings the useful number below the maximum in one step, by what the one was seen to write', async () => {
    await produce(25)
    await untilReplicas(3)
    assert.deepEqual(
      seen.filter(count => count > 0),
      [1, 3]
    )
    await untilSummary('pods', '3/3')
    const events = await kubectl(['get', 'events'])
    assert.match(
      events,
      /Scaled +bronzepipeline\/trips +from 1 to 3 consumers: \d+ records wait, \d+ come per second, and one consumer writes \d+/
    )
    assert.match(await kubectl(['get', 'bp', 'trips', '-o', 'jsonpath={.status.scaling.recordsPerSecond}']), /^\d+$/)
  })

  test('when it is written and nothing comes they are taken away, to none', async () => {
    await untilSummary('lag', '0')
    await untilReplicas(0)
    await eventually('idle', scaling, found => found === 'True Idle')
    assert.equal(await kubectl(['get', 'bp', 'trips', '-o', 'jsonpath={.status.summary.lag}']), '0')
  })

  test('a pipeline at rest is not written', async () => {
    const version = () => kubectl(['get', 'bp', 'trips', '-o', 'jsonpath={.metadata.resourceVersion}'])
    await untilSummary('pods', '0/0')
    const [before, first] = [await version(), operator.samples()]
    await eventually(
      'a few looks at the source',
      async () => operator.samples(),
      count => count >= first + 4
    )
    assert.equal(await version(), before)
  })

  test('a single record wakes it', async () => {
    await cluster.produce(topic, 4, ['{"woken":true}'])
    await untilReplicas(1)
    await untilSummary('lag', '0')
    assert.match(await kubectl(['get', 'events']), /from 0 to 1 consumers: records wait/)
  })

  test('suspend goes before it, and takes nothing from what is known of consumers', async () => {
    await kubectl(['patch', 'bp', 'trips', '--type=merge', '-p', '{"spec":{"suspend":true}}'])
    await eventually('suspended', scaling, found => found === 'False Suspended')
    await untilReplicas(0)
    await produce(1)
    await untilSummary('lag', String(10 * PARTITIONS))
    assert.equal(await replicas(), 0)
    assert.match(
      await kubectl(['get', 'bp', 'trips', '-o', 'jsonpath={.status.scaling}']),
      /^\{"measuredTime":"[^"]+","recordsPerSecond":\d+\}$/
    )
    await kubectl(['patch', 'bp', 'trips', '--type=merge', '-p', '{"spec":{"suspend":false}}'])
    // As many as what waits needs: it is known what one of them writes.
    await eventually('consumers again', replicas, count => count > 0)
    await untilSummary('lag', '0')
  })
})
