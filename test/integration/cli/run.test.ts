import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { sharedKafka, type KafkaAddresses } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'
import { python } from '../../servers/readers.ts'
import { sharedS3, storageOptions, type S3Addresses } from '../../servers/s3.ts'

const program = fileURLToPath(new URL('../../../cli/bronze.js', import.meta.url))
const counter = fileURLToPath(new URL('count.py', import.meta.url))
const RECORDS = 3000

async function fill(kafka: KafkaAddresses, topic: string): Promise<void> {
  const client = new Kafka({ clientId: 'test', brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }], waitForLeaders: true })
  await admin.disconnect()
  const producer = client.producer()
  await producer.connect()
  const messages = Array.from({ length: RECORDS }, (_, i) => ({ key: String(i), value: JSON.stringify({ number: i }) }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

const manifests = (topic: string, bucket: string, kafka: KafkaAddresses, s3: S3Addresses): string =>
  `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: records}
spec:
  source:
    bootstrapServers: ['${kafka.saslSsl}']
    groupId: ${topic}
    security:
      protocol: SASL_SSL
      mechanism: SCRAM-SHA-512
      credentialsSecretRef: {name: kafka-user}
      caSecretRef: {name: kafka-ca}
  topics: [{name: records, topic: ${topic}, table: bronze.records, format: Json}]
  batch: {triggerInterval: 500ms}
  sink:
    delta:
      location: s3://${bucket}/tables
      s3: {endpoint: '${s3.endpoint}', region: ${s3.region}, forcePathStyle: true, credentialsSecretRef: {name: lake-user}}
  scaling: {mode: Partitions, partitionsPerReplica: 2}
---
apiVersion: v1
kind: Secret
metadata: {name: kafka-user}
stringData: {username: ${kafka.users.scram.username}, password: ${kafka.users.scram.password}}
---
apiVersion: v1
kind: Secret
metadata: {name: lake-user}
data:
  accessKeyId: ${Buffer.from(s3.accessKeyId).toString('base64')}
  secretAccessKey: ${Buffer.from(s3.secretAccessKey).toString('base64')}
`

test(
  'bronze run drains Kafka over SASL and TLS into S3, with Secrets from documents and from a folder',
  { ...need('kafka', 's3', 'readers'), timeout: 400_000 },
  async context => {
    const [kafka, s3] = [await sharedKafka(), await sharedS3()]
    const folder = await mkdtemp(join(tmpdir(), 'bronze-run-test-'))
    context.after(() => rm(folder, { recursive: true, force: true }))
    const name = `cli-${randomUUID()}`
    await s3.createBucket(name)
    await fill(kafka, name)
    await mkdir(join(folder, 'secrets/kafka-ca'), { recursive: true })
    await copyFile(kafka.certificates.ca, join(folder, 'secrets/kafka-ca/ca.crt'))
    await writeFile(join(folder, 'pipeline.yaml'), manifests(name, name, kafka, s3))

    const options = ['--until-caught-up', '--secrets', 'secrets', '--output', 'json']
    const run = spawn(process.execPath, [program, 'run', '-f', 'pipeline.yaml', ...options], { cwd: folder })
    context.after(() => run.kill('SIGKILL'))
    const [output, errors, [code]] = await Promise.all([text(run.stdout), text(run.stderr), once(run, 'close')])
    assert.equal(code, 0, `${output}${errors}`)
    for (const secret of [kafka.users.scram.password, s3.secretAccessKey]) assert.ok(!output.includes(secret))

    const storage = storageOptions(s3)
    const counted = await python(counter, [`s3://${name}/tables/bronze/records`, JSON.stringify(storage)])
    assert.deepEqual(JSON.parse(counted), { rows: RECORDS, distinct: RECORDS })
  }
)
