// Mode Streaming by real consumers: rows and offset tokens lie in the fake of the service, the ledger in the stand-in.
import assert from 'node:assert/strict'
import { createPrivateKey, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { EmbeddedBroker } from '../../../cli/demo/broker/broker.ts'
import { plannedTable } from '../../conformance/batches.ts'
import { brokerFor, numbered, produce } from '../../consumer/process/kafka.ts'
import { Workplace } from '../../consumer/process/workplace.ts'
import { STREAMING_SINK, rowId } from '../../fakes/snowpipe-harness.ts'
import { SnowpipeServer } from '../../fakes/snowpipe-server.ts'
import { need } from '../../servers/need.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'

const needed = { ...need('snowflake'), timeout: 400_000 }
const PARTITIONS = 3
const KILLS = 2
/** Of requests to the service so many lose their answer, or are lost. */
const LOST_EVERY = 23

test('killed consumers of mode Streaming, and answers that are lost, leave each record once', needed, async context => {
  const [broker, workplace, { url, service, schema, spec }] = [
    await brokerFor(context),
    await Workplace.open(context),
    await account(context)
  ]
  broker.createTopic('orders', { partitions: PARTITIONS })
  const { user, privateKey } = await sharedSnowflake()
  await workplace.secret('snowflake', { user, privateKey })
  const start = async (instance: string) =>
    await workplace.start({
      bootstrap: broker.bootstrap,
      instance,
      source: 'startFrom: {position: Earliest}',
      sink: `{snowflake: {${spec}, url: '${url}', schema: ${schema}, mode: Streaming, credentialsSecretRef: {name: snowflake}}}`,
      spec: 'topics: [{name: orders, table: orders, format: Json}]\nbatch: {triggerInterval: 200ms}'
    })
  const { rows } = service.state.table('ORDERS')
  const survivor = await start('survivor')
  const producing = new AbortController()
  const produced = produceUntil(broker, producing.signal)
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = await (await start('victim')).ready()
    const before = rows.length
    await victim.until('rows come in', () => rows.length > before)
    // A little later each time: within other steps of a commit.
    await wait(137 * kill)
    await victim.kill()
  }
  producing.abort()
  const total = PARTITIONS * (await produced)
  const last = await start('victim')
  await last.until('all is in', () => new Set(rows.map(rowId)).size === total)
  for (const consumer of [survivor, last]) assert.equal(await consumer.stop(), 0)
  assert.equal(rows.length, total)
  assert.ok(service.requests.length > LOST_EVERY, 'some were lost')
})

/** An account at one address: the service's paths are the fake's, all others the stand-in's. */
async function account(context: TestContext) {
  const { url, account: name, user, privateKey, database, warehouse } = await sharedSnowflake()
  const service = new SnowpipeServer({ account: name, user, privateKey: createPrivateKey(privateKey) })
  await service.start()
  const fake = service.url
  const isFake = ({ url: path = '' }: IncomingMessage) => /^\/(?:v2\/streaming|oauth)\//.test(path)
  const front = createServer((request, response) => passOn(request, response, isFake(request) ? fake : url))
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  context.after(() => {
    service.close()
    front.close()
    front.closeAllConnections()
  })
  service.url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  let count = 0
  service.interfere = () => {
    count++
    return count % LOST_EVERY === 0 ? { status: 0, isLost: count % 2 === 0 } : undefined
  }
  service.state.commitLag = 1
  const { columns } = service.state.table('ORDERS')
  for (const { name: column } of plannedTable(STREAMING_SINK).plan.schema.fields) columns.add(column.toUpperCase())
  service.state.table('DLQ_ORDERS')
  return {
    url: service.url,
    service,
    schema: `S_${randomUUID().slice(0, 8)}`,
    spec: `account: ${name}, database: ${database}, warehouse: ${warehouse}`
  }
}

function passOn(request: IncomingMessage, response: ServerResponse, to: string): void {
  const { method, url = '', headers } = request
  const onward = send(new URL(url, to), { method, headers: { ...headers, host: new URL(to).host } }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}

/** Records of each partition. */
async function produceUntil({ bootstrap }: EmbeddedBroker, signal: AbortSignal): Promise<number> {
  let count = 0
  while (!signal.aborted) {
    for (let partition = 0; partition < PARTITIONS; partition++)
      await produce(bootstrap, 'orders', partition, numbered(20, count))
    count += 20
    await wait(100)
  }
  return count
}
