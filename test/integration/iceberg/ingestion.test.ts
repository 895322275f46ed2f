import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { numbered, produce } from '../../consumer/process/kafka.ts'
import { Workplace } from '../../consumer/process/workplace.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'
import { startPyiceberg } from './pyiceberg.ts'

const PARTITIONS = 2
const ROUNDS = 3
const RECORDS = 300

test(
  'two consumers ingest while pyiceberg appends, evolves, compacts, rolls back and expires: every record is there once',
  { ...need('kafka', 'catalog', 's3', 'readers'), timeout: 300_000 },
  async context => {
    const [{ bootstrap }, catalog, workplace] = [
      await sharedKafka(),
      await sharedCatalog(),
      await Workplace.open(context)
    ]
    const cluster = new TestCluster(bootstrap)
    const name = `beside_${randomUUID().replaceAll('-', '')}`
    const table = `${name}.orders`
    await cluster.createTopic(name, PARTITIONS)
    const foreign = await startPyiceberg(catalog, catalog.s3)
    context.after(async () => {
      await foreign.close()
      await cluster.deleteTopic(name)
      await cluster.close()
    })
    const { endpoint, region, accessKeyId, secretAccessKey } = catalog.s3
    await workplace.secret('store', { accessKeyId, secretAccessKey })
    const s3 = `{endpoint: "${endpoint}", region: ${region}, forcePathStyle: true, credentialsSecretRef: {name: store}}`
    const pipeline = {
      bootstrap,
      source: `groupId: ${name}`,
      spec: `topics: [{name: orders, topic: ${name}, table: ${table}, format: Json}]\nbatch: {triggerInterval: 300ms}`,
      sink: `{iceberg: {catalog: {uri: "${catalog.uri}"}, s3: ${s3}}}`
    }
    const [a, b] = await Promise.all([
      workplace.start({ ...pipeline, instance: 'a' }),
      workplace.start({ ...pipeline, instance: 'b' })
    ])
    await Promise.all([a.ready(), b.ready()])

    // Others are in the way again and again: they look anew each time, as these do themselves.
    const insist = async (verb: string, given: object = {}) => {
      for (let left = 20; ; left--) {
        try {
          return await foreign.tell(verb, table, given)
        } catch (error) {
          if (left === 0 || !String(error).includes('CommitFailedException')) throw error
        }
      }
    }
    let produced = 0
    let appended = 0
    const feed = async (records: number) => {
      for (let partition = 0; partition < PARTITIONS; partition++)
        await produce(bootstrap, name, partition, numbered(records, produced))
      produced += records
    }
    const isIn = async () => {
      const query = 'select count(distinct (_kafka_partition, _kafka_offset)) from rows where _kafka_partition <> 99'
      const [[count] = []] = await foreign.sql(table, query).catch((error: unknown) => {
        if (String(error).includes('NoSuchTableError')) return []
        throw error
      })
      return Number(count) === PARTITIONS * produced
    }
    const busy = async (work: () => Promise<unknown>) => {
      await Promise.all([
        work(),
        (async () => {
          for (let slice = 0; slice < 5; slice++) await feed(RECORDS / 5)
        })()
      ])
    }
    await feed(RECORDS)
    await a.until('the first rows are there', isIn)
    for (let round = 0; round < ROUNDS; round++) {
      await busy(async () => {
        await insist('append')
        appended++
        await insist('evolve', { add: { [`extra_${round}`]: 'string' } })
      })
      await insist('prepare')
      await busy(async () => {
        await a.until('commits pass the compaction', isIn)
        await insist('complete')
      })
      await a.until('all is in', isIn)
      const { snapshotId } = await foreign.read(table)
      await feed(RECORDS)
      await a.until('there is something to roll back', isIn)
      await busy(() => insist('rollback', { to: snapshotId }))
      await a.until('all is in again', isIn)
      await busy(() => insist('expire'))
    }
    assert.deepEqual([await a.stop(), await b.stop()], [0, 0])
    const { offsets, columns } = await foreign.read(table)
    assert.deepEqual(offsets, [
      ...Array.from({ length: PARTITIONS }, (_, partition) => [partition, produced, produced, 0, produced - 1]),
      offsets.at(-1)
    ])
    assert.deepEqual(offsets.at(-1)?.slice(0, 2), [99, appended])
    assert.ok('extra_2' in columns)
  }
)
