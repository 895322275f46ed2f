import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { TestCluster } from '../consumer/source/test-cluster.ts'
import { startKafka, type KafkaServer } from '../servers/kafka.ts'
import { python } from '../servers/readers.ts'
import { startS3, storageOptions, type S3Server } from '../servers/s3.ts'
import { startCluster, type Cluster } from './cluster.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MECHANISM = 'SCRAM-SHA-512'

export const TOPICS = ['orders', 'payments', 'shipments', 'inventory', 'customers', 'products', 'reviews', 'returns']
export const REPOSITORY = 'bronze-operator'
/** Names of one image: the chart is upgraded from the one to the other. */
export const TAGS = ['one', 'two'] as const
const LOCATION = 's3://lake/warehouse'

/** As brokers have it unless told otherwise: consumers that start together join together. */
const BROKER = { 'group.initial.rebalance.delay.ms': 3000 }

/** A cluster with our image, and a broker and an object store that its pods reach. */
export interface Lakehouse {
  readonly cluster: Cluster
  readonly kafka: KafkaServer
  readonly s3: S3Server
  /** The example of eight topics, with addresses and passwords that are right here. */
  readonly manifest: () => Promise<string>
  /** Rows, and distinct records among them, of the eight tables, as delta-rs reads them. */
  readonly rows: () => Promise<Readonly<Record<string, { readonly rows: number; readonly distinct: number }>>>
  /** Gives the user of the example another password; who is connected stays so. */
  readonly changePassword: (password: string) => Promise<void>
  readonly stop: () => Promise<void>
}

export async function startLakehouse(): Promise<Lakehouse> {
  const [cluster, archive] = await Promise.all([startCluster(), buildImage()])
  const { address } = cluster.network
  const stops = [cluster.stop]
  const stop = async () => {
    for (const each of stops.toReversed()) await each()
  }
  try {
    const [kafka, s3] = await Promise.all([
      startKafka({ host: address, properties: BROKER }),
      startS3({}, address),
      importImage(cluster, archive)
    ])
    stops.push(kafka.stop, s3.stop)
    const topics = new TestCluster(kafka.bootstrap)
    for (const topic of TOPICS) await topics.createTopic(topic, 3)
    await topics.close()
    await s3.createBucket('lake')
    return {
      cluster,
      kafka,
      s3,
      manifest: () => manifestFor(kafka, s3),
      rows: () => countRows(s3),
      changePassword: password => changePassword(kafka, password),
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Gives the path of the archive. */
async function buildImage(): Promise<string> {
  const archive = join(root, 'node_modules', '.cache', 'cluster', 'image.tar')
  const platform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`
  const args = ['deploy/image/main.ts', '--out', archive, '--platform', platform, '--tag', `${REPOSITORY}:${TAGS[0]}`]
  await promisify(execFile)(process.execPath, args, { cwd: root })
  return archive
}

async function importImage(cluster: Cluster, archive: string): Promise<void> {
  await cluster.importImage(archive)
  const [one, two] = TAGS.map(tag => `docker.io/library/${REPOSITORY}:${tag}`)
  await cluster.tagImage(String(one), String(two))
}

async function manifestFor({ saslPlaintext, users }: KafkaServer, s3: S3Server): Promise<string> {
  const example = await readFile(join(root, 'deploy/examples/eight-topics-delta.yaml'), 'utf8')
  const changes: readonly (readonly [string | RegExp, string])[] = [
    ['accessKeyId: minioadmin', `accessKeyId: ${s3.accessKeyId}`],
    ['secretAccessKey: minioadmin', `secretAccessKey: ${s3.secretAccessKey}`],
    ['username: bronze', `username: ${users.scram.username}`],
    ['password: change-me', `password: ${users.scram.password}`],
    ['kafka.lakehouse.svc:9092', saslPlaintext],
    ['http://minio.lakehouse.svc:9000', s3.endpoint],
    ['s3://lake/warehouse', LOCATION],
    ['protocol: PLAINTEXT', `protocol: SASL_PLAINTEXT\n      mechanism: ${MECHANISM}`],
    ['# credentialsSecretRef: {name: kafka-user}', 'credentialsSecretRef: {name: kafka-user}'],
    ['triggerInterval: 10s', 'triggerInterval: 2s']
  ]
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(String(from))) throw new Error(`the example no longer has ${from}`)
    return text.replace(from, () => to)
  }, example)
}

async function countRows(s3: S3Server): Promise<Awaited<ReturnType<Lakehouse['rows']>>> {
  const options = storageOptions(s3)
  const script = fileURLToPath(new URL('./count.py', import.meta.url))
  const tables = TOPICS.map(topic => `bronze_${topic}`)
  return JSON.parse(await python(script, [LOCATION, JSON.stringify(options), ...tables])) as never
}

/** Over the listener that asks for no password. */
async function changePassword({ bootstrap, users }: KafkaServer, password: string): Promise<void> {
  const script = fileURLToPath(new URL('./change_password.py', import.meta.url))
  await python(script, [bootstrap, users.scram.username, password])
}
