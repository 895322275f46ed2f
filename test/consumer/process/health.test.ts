import assert from 'node:assert/strict'
import { rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { brokerFor, groupView, numbered, produce } from './kafka.ts'
import { Workplace, span } from './workplace.ts'

const canLink = process.platform !== 'win32'

test(
  'health is 503 after a failed write and 200 after the next good one; readiness does not care',
  { skip: canLink ? false : 'symbolic links need a privilege there' },
  async context => {
    const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
    const { bootstrap } = broker
    broker.createTopic('orders')
    const spec = 'topics: [{name: orders, table: bronze.orders}]\nbatch: {triggerInterval: 100ms}'
    const consumer = await (await workplace.start({ bootstrap, spec })).ready()
    await produce(bootstrap, 'orders', 0, numbered(3))
    await consumer.until('three are in', async () => (await workplace.rows('bronze.orders')).length === 3)
    assert.equal(await consumer.status('/health'), 200)

    // A link to itself: the file system refuses every path below it, whoever asks.
    const folder = join(workplace.folder, 'tables/bronze/orders')
    await rename(folder, `${folder}-away`)
    await symlink('orders', folder)
    await produce(bootstrap, 'orders', 0, numbered(3, 3))
    await consumer.until('health is bad', async () => (await consumer.status('/health')) === 503)
    assert.match(await consumer.text('/health'), /"bronze\.orders":"FileSystemTrouble"/)
    assert.equal(await consumer.status('/readyz'), 200)
    assert.equal(await consumer.status('/livez'), 200)
    const report = async () => (await groupView(bootstrap, 'bronze.lake.shop')).offsets.get('orders-0')
    await consumer.until('the group hears of it', async () => (await report())?.metadata.includes('"err"') === true)
    assert.equal((await report())?.offset, 3)

    await rm(folder)
    await rename(`${folder}-away`, folder)
    await consumer.until('health is good again', async () => (await consumer.status('/health')) === 200)
    await consumer.until('all are in', async () => (await workplace.rows('bronze.orders')).length >= 6)
    assert.equal(await consumer.stop(), 0)
    assert.deepEqual(await workplace.keys('bronze.orders'), span('orders', 0, 0, 6))
    assert.doesNotMatch((await report())?.metadata ?? '', /"err"/)
  }
)
