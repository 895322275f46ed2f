import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerFor } from './kafka.ts'
import { Workplace } from './workplace.ts'

const TOPICS = 'topics: [{name: orders, table: bronze.orders}]'
const PASSWORD = 'wrong-but-still-secret'
const SASL = 'security: {protocol: SASL_PLAINTEXT, mechanism: PLAIN, credentialsSecretRef: {name: kafka-user}}'

test('configuration that cannot work ends with 78, and the termination message names the remedy', async context => {
  const [broker, workplace] = [await brokerFor(context, { users: { bronze: 'right' } }), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  await workplace.secret('kafka-user', { username: 'bronze', password: PASSWORD })
  await workplace.write('file', 'not a folder')
  await workplace.write(
    'foreign/bronze/orders/_delta_log/00000000000000000000.json',
    [
      {
        protocol: {
          minReaderVersion: 3,
          minWriterVersion: 7,
          readerFeatures: ['teleport'],
          writerFeatures: ['teleport']
        }
      },
      {
        metaData: {
          id: '6f1c2a53-7c5e-4c43-a0a0-7f2d3a3f9b11',
          format: { provider: 'parquet', options: {} },
          schemaString: '{"type":"struct","fields":[]}',
          partitionColumns: [],
          configuration: {},
          createdTime: 0
        }
      }
    ]
      .map(action => JSON.stringify(action))
      .join('\n')
  )
  const at = (folder: string) => `{location: "file://${workplace.folder}/${folder}"}`
  const cases = [
    [{ spec: `${TOPICS}\nsurprise: 1` }, 'InvalidPipeline', /spec.*surprise/],
    [{ spec: TOPICS, source: SASL }, 'SourceAuthenticationFailed', /credentialsSecretRef/],
    [{ spec: TOPICS, delta: at('file/tables') }, 'StoreUnusable', /spec\.sink\.delta\.location/],
    [{ spec: TOPICS, delta: at('foreign') }, 'UnsupportedDeltaFeature', /teleport/]
  ] as const
  for (const [pipeline, reason, words] of cases) {
    const consumer = await workplace.start({ bootstrap, ...pipeline })
    assert.equal(await consumer.ended(), 78, reason)
    const left = await consumer.message()
    assert.deepEqual(Object.keys(left), ['reason', 'message'])
    assert.equal(left.reason, reason)
    assert.match(left.message, words)
    assert.doesNotMatch(left.message + (await consumer.log()), new RegExp(PASSWORD))
  }
})

const preload = (code: string) => ({ NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(code)}"` })

test('a defect ends with 70 and a termination message, wherever it shows', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  const planted = {
    'in the main flow':
      'const { min } = Math; Math.min = (...all) => { if (Error().stack.includes("ingest.ts")) throw TypeError("planted"); return min(...all) }',
    'in a callback': 'setTimeout(() => { throw TypeError("planted") }, 1500)',
    'in a promise that nobody waits for': 'setTimeout(() => Promise.reject(TypeError("planted")), 1500)'
  }
  for (const [where, code] of Object.entries(planted)) {
    const consumer = await workplace.start({ bootstrap, spec: TOPICS, env: preload(code) })
    assert.equal(await consumer.ended(), 70, where)
    assert.deepEqual(await consumer.message(), { reason: 'Defect', message: 'planted' }, where)
  }
})
