import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { numbered, produce } from '../../consumer/process/kafka.ts'
import { Workplace, span } from '../../consumer/process/workplace.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

test(
  'a consumer that stood still past its session loses no record and doubles none when it wakes',
  { ...need('kafka'), timeout: 300_000 },
  async context => {
    const [{ bootstrap }, workplace] = [await sharedKafka(), await Workplace.open(context)]
    const cluster = new TestCluster(bootstrap)
    const topic = `zombie-${randomUUID()}`
    await cluster.createTopic(topic, 2)
    context.after(async () => {
      await cluster.deleteTopic(topic)
      await cluster.close()
    })
    const pipeline = {
      bootstrap,
      source: `groupId: ${topic}`,
      spec: `topics: [{name: orders, topic: ${topic}, table: bronze.orders}]\nbatch: {triggerInterval: 4s}`
    }
    const [a, b] = await Promise.all([
      workplace.start({ ...pipeline, instance: 'a' }),
      workplace.start({ ...pipeline, instance: 'b' })
    ])
    await Promise.all([a.ready(), b.ready()])
    const has = async (rows: number) => (await workplace.rows('bronze.orders')).length >= rows
    const produceBoth = async (count: number, from: number) => {
      for (const partition of [0, 1]) await produce(bootstrap, topic, partition, numbered(count, from))
    }
    const share = async () => Number(/^bronze_assigned_partitions (\d+)$/m.exec(await a.text('/metrics'))?.[1])
    await a.until('each has a partition', async () => (await share()) === 1)
    await produceBoth(10, 0)
    await a.until('both commit', () => has(20))
    await produceBoth(10, 10)
    await a.until('records are held', async () => !(await a.text('/metrics')).includes('bronze_buffer_bytes 0\n'))

    process.kill(a.process.pid, 'SIGSTOP')
    await b.until('the other has taken over', () => has(40))
    await produceBoth(10, 20)
    process.kill(a.process.pid, 'SIGCONT')
    await b.until('all is in', () => has(60))
    await a.until('it is a member again', async () => (await a.status('/readyz')) === 200 && (await share()) === 1)
    await produceBoth(10, 30)
    await a.until('both commit again', () => has(80))
    assert.deepEqual([await a.stop(), await b.stop()], [0, 0])
    assert.deepEqual(await workplace.keys('bronze.orders'), [...span(topic, 0, 0, 40), ...span(topic, 1, 0, 40)])
  }
)
