import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { eventually, runOperator, type RunningOperator } from './running.ts'

/** Kafka is not there, and need not be: who has what is a matter of specs alone. */
const NOWHERE = '127.0.0.1:1'

describe('of pipelines that claim the same, the oldest has it', need('kube'), () => {
  let operator: RunningOperator
  let kubectl: RunningOperator['kubectl']

  before(async () => {
    operator = await runOperator(await sharedKube(), `claims-${randomBytes(4).toString('hex')}`)
    ;({ kubectl } = operator)
  })
  after(async () => {
    await operator?.stop()
  })

  /** Created a second after the one before: creation times are whole seconds. */
  const create = async (name: string, spec: object = {}) => {
    const now = () => Math.floor(Date.now() / 1000)
    for (const second = now(); now() === second;) await new Promise(resolve => setTimeout(resolve, 50))
    const document = {
      apiVersion: 'bronze.dev/v1alpha1',
      kind: 'BronzePipeline',
      metadata: { name },
      spec: {
        source: { bootstrapServers: [NOWHERE] },
        topics: [{ name: 'orders', table: `${name.replaceAll('-', '_')}.orders`, format: 'Json' }],
        sink: { delta: { location: 's3://lake/warehouse', s3: { endpoint: 'http://minio:9000' } } },
        scaling: { mode: 'External', replicas: 1 },
        ...spec
      }
    }
    await kubectl(['create', '-f', '-'], JSON.stringify(document))
  }
  const conditionOf = (name: string, type: string) => async () =>
    kubectl(['get', 'bp', name, '-o', `jsonpath={.status.conditions[?(@.type=="${type}")].reason}`])
  const until = (name: string, type: string, reason: string) =>
    eventually(`${name}: ${type} ${reason}`, conditionOf(name, type), found => found === reason)
  const deployments = () => kubectl(['get', 'deploy', '-o', 'jsonpath={.items[*].metadata.name}'])
  const runs = (name: string) =>
    eventually(`${name} runs`, deployments, names => names.split(' ').includes(`${name}-consumer`))
  const message = async (name: string) =>
    kubectl(['get', 'bp', name, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}'])

  test('two pipelines with one group: the younger starts nothing and says whose it is', async () => {
    const source = { bootstrapServers: [NOWHERE], groupId: 'shared' }
    await create('group-one', { source })
    await runs('group-one')
    await create('group-two', { source: { ...source, bootstrapServers: [NOWHERE, '127.0.0.1:2'] } })
    await until('group-two', 'Ready', 'ClaimedByOther')
    await until('group-two', 'Stalled', 'ClaimedByOther')
    assert.match(await message('group-two'), new RegExp(`group shared belongs to .* ${operator.namespace}/group-one:`))
    assert.equal((await deployments()).includes('group-two'), false)
    const events = () => kubectl(['get', 'events'])
    await eventually('an event', events, text => /ClaimedByOther +bronzepipeline\/group-two/.test(text))
    assert.equal(await conditionOf('group-one', 'Stalled')(), 'NotStalled')
  })

  test('it starts by itself when the older one is deleted', async () => {
    await kubectl(['delete', 'bp', 'group-one'])
    await runs('group-two')
    await until('group-two', 'Stalled', 'NotStalled')
  })

  test('two pipelines with one table, whose path is divided otherwise', async () => {
    const topics = (table: string) => [{ name: 'orders', table, format: 'Json' }]
    await create('table-one', { topics: topics('eu.orders') })
    await runs('table-one')
    const delta = { location: 's3://lake', s3: { endpoint: `http://MINIO.${operator.namespace}.svc:9000` } }
    await create('table-two', { topics: topics('warehouse.eu.orders'), sink: { delta } })
    await until('table-two', 'Ready', 'ClaimedByOther')
    assert.match(await message('table-two'), /table warehouse\.eu\.orders belongs to .*\/table-one:/)
    await kubectl(['delete', 'bp', 'table-one'])
    await runs('table-two')
  })

  test('a pipeline whose table is another’s dead-letter table', async () => {
    const topics = (table: string) => [{ name: 'orders', table, format: 'Json' }]
    await create('letters-one', { topics: topics('us.orders') })
    await runs('letters-one')
    await create('letters-two', { topics: topics('us.dlq_orders'), deadLetters: { policy: 'Stop' } })
    await until('letters-two', 'Ready', 'ClaimedByOther')
    await kubectl(['delete', 'bp', 'letters-one'])
    await runs('letters-two')
  })

  test('two pipelines with one Snowflake table, in other case', async () => {
    const snowflake = {
      account: 'acme-one',
      database: 'RAW',
      authentication: 'KeyPair',
      credentialsSecretRef: { name: 'snowflake-user' }
    }
    await kubectl([
      'create',
      'secret',
      'generic',
      'snowflake-user',
      '--from-literal=user=x',
      '--from-literal=privateKey=y'
    ])
    const spec = (change: object, table: string) => ({
      sink: { snowflake: { ...snowflake, ...change } },
      topics: [{ name: 'orders', table, format: 'Json' }]
    })
    await create('snow-one', spec({}, 'public.orders'))
    await runs('snow-one')
    await create('snow-two', spec({ account: 'ACME-ONE', database: 'raw', schema: 'Public' }, 'ORDERS'))
    await until('snow-two', 'Ready', 'ClaimedByOther')
    assert.equal(await conditionOf('snow-one', 'Stalled')(), 'NotStalled')
  })

  test('pipelines that claim nothing of each other’s are left in peace', async () => {
    await create('alone')
    await runs('alone')
    assert.ok(!operator.lines.some(line => line.includes('a reconcile failed')), operator.lines.join(''))
  })
})
