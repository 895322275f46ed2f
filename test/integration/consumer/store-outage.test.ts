import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { secretFolder } from '../../../lib/secrets.ts'
import { startProxy } from '../../chaos/proxy.ts'
import { brokerFor, numbered, produce } from '../../consumer/process/kafka.ts'
import { Workplace, span } from '../../consumer/process/workplace.ts'
import { readDeltaRows } from '../../fakes/delta-reader.ts'
import { need } from '../../servers/need.ts'
import { sharedS3 } from '../../servers/s3.ts'

test(
  'S3 that is down at the start and goes away in the middle is waited for, and every record is there once',
  { ...need('s3'), timeout: 400_000 },
  async context => {
    const [broker, workplace, s3] = [await brokerFor(context), await Workplace.open(context), await sharedS3()]
    const { bootstrap } = broker
    let isDown = true
    const proxy = await startProxy({
      upstream: s3.endpoint,
      protocol: 's3',
      random: Math.random,
      choose: () => ({ kind: isDown ? 'resetBefore' : 'none' })
    })
    context.after(() => proxy.stop())
    const bucket = `outage-${randomUUID()}`
    await s3.createBucket(bucket)
    await workplace.secret('lake', { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey })
    broker.createTopic('orders')
    await produce(bootstrap, 'orders', 0, numbered(10))
    const access = (endpoint: string) =>
      `{endpoint: '${endpoint}', region: ${s3.region}, forcePathStyle: true, credentialsSecretRef: {name: lake}}`
    const consumer = await workplace.start({
      bootstrap,
      spec: 'topics: [{name: orders, table: bronze.orders}]\nbatch: {triggerInterval: 200ms}',
      delta: `{location: s3://${bucket}/tables, s3: ${access(proxy.endpoint)}}`
    })
    const store = await openObjectStore(
      `s3://${bucket}/tables`,
      {
        endpoint: s3.endpoint,
        region: s3.region,
        forcePathStyle: true,
        credentialsSecret: 'lake',
        caSecret: undefined
      },
      secretFolder(`${workplace.folder}/secrets`)
    )
    context.after(() => store.close())
    const offsets = async () =>
      (await readDeltaRows(store, 'bronze/orders')).rows.map(row => Number(row['_kafka_offset'])).sort((a, b) => a - b)
    const has = async (rows: number) => (await offsets()).length >= rows

    await consumer.until('health is bad', async () => (await consumer.status('/health')) === 503)
    isDown = false
    await consumer.until('what was there is in', () => has(10))
    assert.equal(await consumer.status('/health'), 200)
    isDown = true
    await produce(bootstrap, 'orders', 0, numbered(10, 10))
    await consumer.until('health is bad again', async () => (await consumer.status('/health')) === 503)
    assert.equal(await consumer.status('/readyz'), 200)
    isDown = false
    await consumer.until('all is in', () => has(20))
    assert.equal(await consumer.stop(), 0)
    assert.deepEqual(
      (await offsets()).map(offset => `orders-0-${offset}`),
      span('orders', 0, 0, 20)
    )
  }
)
