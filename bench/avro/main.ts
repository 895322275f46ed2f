import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startCatalog } from '../../test/servers/catalog.ts'
import { startKafka } from '../../test/servers/kafka.ts'
import { startRegistry } from '../../test/servers/registry.ts'
import { startS3 } from '../../test/servers/s3.ts'
import { drain } from '../consumer.ts'
import type { Account } from '../measured.ts'
import { produce } from '../programs.ts'
import { runConnect } from './connect.ts'
import { TRIP_SCHEMA, trips } from './trips.ts'

const PARTITIONS = 4
const TOPIC = 'trips'
const BUCKET = 'bench'
const COMMIT_INTERVAL_MS = 10_000
const NAMES = ['bronze', 'connect'] as const
type Name = (typeof NAMES)[number]

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    records: { type: 'string', default: '1000000' },
    only: { type: 'string', multiple: true, default: [...NAMES] }
  }
})
const records = Number(values.records)

const folder = await mkdtemp(join(tmpdir(), 'bronze-bench-'))
const stops: (() => Promise<void>)[] = [async () => await rm(folder, { recursive: true, force: true })]
try {
  const kafka = started(await startKafka({ heapMiB: 1024 }))
  const s3 = started(await startS3())
  await s3.createBucket(BUCKET)
  const catalog = started(await startCatalog({ warehouse: `s3://${BUCKET}/warehouse`, s3 }))
  const registry = started(await startRegistry())
  const schemaId = await registry.register(`${TOPIC}-value`, TRIP_SCHEMA)
  let valueBytes = 0
  for (const value of trips(records, schemaId)) valueBytes += value.length
  const target = { bootstrap: kafka.bootstrap, topic: TOPIC, partitions: PARTITIONS, codec: 'none' as const }
  await produce(target, trips(records, schemaId))
  const size = (valueBytes / records).toFixed(0)
  console.log(`${records} Avro records of 20 fields, ${size} bytes, ${PARTITIONS} partitions, one process`)

  const rows = (table: string) => async () => (await rowsIn(catalog.uri, table)) >= records
  const programs: Readonly<Record<Name, () => Promise<Account>>> = {
    bronze: async () => {
      const own = join(folder, 'bronze')
      await mkdir(join(own, 'store'), { recursive: true })
      await writeFile(join(own, 'store', 'accessKeyId'), s3.accessKeyId)
      await writeFile(join(own, 'store', 'secretAccessKey'), s3.secretAccessKey)
      const store = { endpoint: s3.endpoint, region: s3.region, forcePathStyle: true }
      return await drain(
        own,
        {
          source: { bootstrapServers: [kafka.bootstrap], schemaRegistry: { url: registry.url } },
          topics: [{ name: 'trips', topic: TOPIC, table: 'bronze.trips', format: 'Avro' }],
          metadataColumns: ['Topic', 'Key', 'Headers', 'IngestionId', 'ConsumerId'].map(source => ({
            source,
            omit: true
          })),
          batch: { triggerInterval: `${COMMIT_INTERVAL_MS / 1000}s` },
          sink: {
            iceberg: { catalog: { uri: catalog.uri }, s3: { ...store, credentialsSecretRef: { name: 'store' } } }
          }
        },
        rows('trips')
      )
    },
    connect: async () => {
      const control = 'control-iceberg'
      await produce({ ...target, topic: control, partitions: 1 }, [])
      const registryClient = {
        'value.converter': 'io.apicurio.registry.utils.converter.AvroConverter',
        'value.converter.apicurio.registry.url': registry.url.replace(/\/apis\/.*/, '/apis/registry/v2'),
        'value.converter.apicurio.registry.as-confluent': 'true',
        'value.converter.apicurio.registry.use-id': 'contentId'
      }
      return await runConnect(
        join(folder, 'connect'),
        {
          'bootstrap.servers': kafka.bootstrap,
          'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
          ...registryClient,
          'offset.flush.interval.ms': '5000',
          'consumer.auto.offset.reset': 'earliest',
          'consumer.max.poll.records': '5000'
        },
        {
          name: 'iceberg-sink',
          'connector.class': 'org.apache.iceberg.connect.IcebergSinkConnector',
          'tasks.max': '1',
          topics: TOPIC,
          'iceberg.tables': 'bronze.connect_trips',
          'iceberg.tables.auto-create-enabled': 'true',
          'iceberg.tables.evolve-schema-enabled': 'true',
          'iceberg.tables.auto-create-props.write.parquet.compression-codec': 'zstd',
          'iceberg.control.topic': control,
          'iceberg.control.commit.interval-ms': String(COMMIT_INTERVAL_MS),
          'iceberg.catalog.type': 'rest',
          'iceberg.catalog.uri': catalog.uri,
          'iceberg.catalog.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
          'iceberg.catalog.s3.endpoint': s3.endpoint,
          'iceberg.catalog.s3.path-style-access': 'true',
          'iceberg.catalog.s3.access-key-id': s3.accessKeyId,
          'iceberg.catalog.s3.secret-access-key': s3.secretAccessKey,
          'iceberg.catalog.client.region': s3.region
        },
        rows('connect_trips')
      )
    }
  }
  const runs: (Account & { readonly name: Name; readonly recordsPerCpuSecond: number })[] = []
  for (const name of NAMES.filter(each => values.only.includes(each))) {
    const { cpuSeconds, peakRssMiB } = await programs[name]()
    const run = { name, recordsPerCpuSecond: Math.round(records / cpuSeconds), cpuSeconds, peakRssMiB }
    runs.push(run)
    const cells = [`${run.recordsPerCpuSecond} records/CPU-s`, `${cpuSeconds.toFixed(2)} CPU-s`]
    console.log([name.padEnd(7), ...cells, `${peakRssMiB.toFixed(0)} MiB peak`].join('  '))
  }
  if (values.json) console.log(JSON.stringify({ records, runs, ...ratios(runs) }))
} finally {
  for (const stop of stops.reverse()) await stop()
}

function started<T extends { readonly stop: () => Promise<void> }>(server: T): T {
  stops.push(server.stop)
  return server
}

/** Rows that a table's current snapshot has; 0 while there is none. */
async function rowsIn(uri: string, table: string): Promise<number> {
  const response = await fetch(`${uri}/v1/namespaces/bronze/tables/${table}`)
  if (!response.ok) return 0
  const { metadata } = (await response.json()) as {
    metadata: { snapshots?: { 'timestamp-ms': number; summary?: Record<string, string> }[] }
  }
  return Math.max(0, ...(metadata.snapshots ?? []).map(({ summary }) => Number(summary?.['total-records'] ?? 0)))
}

function ratios(runs: readonly (Account & { readonly name: Name; readonly recordsPerCpuSecond: number })[]) {
  const [ours, theirs] = NAMES.map(name => runs.find(run => run.name === name))
  if (ours === undefined || theirs === undefined) return {}
  return {
    recordsPerCpuSecondRatio: ours.recordsPerCpuSecond / theirs.recordsPerCpuSecond,
    memoryRatio: ours.peakRssMiB / theirs.peakRssMiB
  }
}
