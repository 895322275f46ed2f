import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startBroker } from '../../cli/demo/broker/broker.ts'
import { FileStore } from '../../consumer/store/file.ts'
import { systemClock } from '../../lib/clock.ts'
import { KafkaCluster } from '../../operator/kafka/cluster.ts'
import { produce } from '../consumer/process/kafka.ts'
import { startBronze } from '../fakes/bronze.ts'
import { readDeltaRows } from '../fakes/delta-reader.ts'

const GROUP = 'bronze.default.shop'

/** The pipeline `shop` of two topics on the embedded broker, with tables in a folder, and `bronze` to deal with it. */
export async function shop(context: TestContext, sink: 'delta' | 's3' = 'delta') {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-clean-'))
  const broker = await startBroker({})
  const cluster = new KafkaCluster([broker.bootstrap], {}, systemClock)
  context.after(async () => {
    await cluster.close()
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  })
  await mkdir(join(folder, 'tmp'))
  for (const topic of ['orders', 'clicks']) broker.createTopic(topic)
  await produce(broker.bootstrap, 'orders', 0, ['{"number": 1}', '{"number": 2}', 'not json'])
  await produce(broker.bootstrap, 'clicks', 0, ['{"number": 3}'])
  await writeFile(
    join(folder, 'pipeline.yaml'),
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: shop}
spec:
  source: {bootstrapServers: ['${broker.bootstrap}']}
  topics: [{name: orders, table: bronze.orders, format: Json}, {name: clicks, table: bronze.clicks, format: Json}]
  batch: {triggerInterval: 100ms}
  sink: {${sink}: {location: '${pathToFileURL(join(folder, 'tables')).href}'}}
  scaling: {mode: Partitions, maxReplicas: 1}
`
  )
  const env = { ...process.env, TMPDIR: join(folder, 'tmp') }
  const bronze = (args: readonly string[], input = '') =>
    startBronze(context, [...args, '-f', 'pipeline.yaml'], { cwd: folder, env, input })
  const tables = new FileStore(join(folder, 'tables'))
  return {
    folder,
    bootstrap: broker.bootstrap,
    bronze,
    run: async (...args: string[]) => await bronze(['run', '--until-caught-up', ...args]).ended,
    held: async () => (await cluster.offsets(GROUP, ['orders', 'clicks'])).offsets.map(({ committed }) => committed),
    rows: async (table: string) =>
      existsSync(join(folder, 'tables/bronze', table, '_delta_log'))
        ? (await readDeltaRows(tables, `bronze/${table}`)).rows.length
        : undefined
  }
}
