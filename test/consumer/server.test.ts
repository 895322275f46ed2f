import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { QualityCounts } from '../../consumer/decode/quality-counts.ts'
import { Health } from '../../consumer/health.ts'
import { ConsumerMetrics } from '../../consumer/metrics.ts'
import { allOf } from '../../consumer/observer.ts'
import { partitionId } from '../../consumer/partition.ts'
import type { Source } from '../../consumer/source.ts'
import { startServer } from '../../consumer/server.ts'

async function serve() {
  const health = new Health()
  const id = partitionId({ topic: 'my-topic', partition: 3 })
  const lags: ReturnType<Source['lags']> = new Map([[id, { endOffset: 100, logStart: 50, position: 40 }]])
  const metrics = new ConsumerMetrics({ lags: () => lags, bufferBytes: () => 7 })
  const state = { isMember: false }
  const server = await startServer('127.0.0.1', 0, { health, metrics, isReady: () => state.isMember })
  const { port } = server.address() as AddressInfo
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: response.status, body: await response.text() }
  }
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { observer: allOf([health.observer, metrics.observer]), state, get, close }
}

test('health is 503 after a failed write and 200 after the next good one', async () => {
  const { observer, get, close } = await serve()
  assert.equal((await get('/health')).status, 200)
  observer.sinkFailed('bronze.orders', 'S3Unavailable')
  const failed = await get('/health')
  assert.equal(failed.status, 503)
  assert.deepEqual(JSON.parse(failed.body), {
    healthy: false,
    source: 'ok',
    tables: { 'bronze.orders': 'S3Unavailable' }
  })
  observer.committed('bronze.orders', { startedMs: 0, endedMs: 1, topics: [] })
  assert.equal((await get('/health')).status, 200)
  await close()
})

test('readiness is membership, whatever the sink does; liveness is an answer', async () => {
  const { observer, state, get, close } = await serve()
  assert.equal((await get('/readyz')).status, 503)
  state.isMember = true
  observer.sinkFailed('bronze.orders', 'S3Unavailable')
  assert.equal((await get('/readyz')).status, 200)
  assert.equal((await get('/livez')).status, 200)
  assert.equal((await get('/elsewhere')).status, 404)
  await close()
})

test('metrics count what was committed, lost and refused, and look at lag when scraped', async () => {
  const { observer, get, close } = await serve()
  observer.committed('bronze.orders', {
    startedMs: 1000,
    endedMs: 3000,
    topics: [
      { topic: 'orders', records: 10, deadLetters: 2, lastTimestampMs: 2500 },
      { topic: 'orders', records: 5, deadLetters: 0, lastTimestampMs: 0 }
    ]
  })
  observer.fenced('bronze.orders')
  observer.dataLoss('orders', 'Truncated')
  const { body } = await get('/metrics')
  for (const line of [
    'bronze_records_total{table="bronze.orders",topic="orders"} 15',
    'bronze_dead_letters_total{table="bronze.orders",topic="orders"} 2',
    'bronze_commits_total{table="bronze.orders",outcome="committed"} 1',
    'bronze_commits_total{table="bronze.orders",outcome="fenced"} 1',
    'bronze_source_losses_total{topic="orders",kind="Truncated"} 1',
    'bronze_commit_duration_seconds_sum{table="bronze.orders"} 2',
    'bronze_batch_records_sum{table="bronze.orders"} 17',
    'bronze_end_to_end_latency_seconds_sum{table="bronze.orders"} 0.5',
    'bronze_fetch_lag_records{topic="my-topic",partition="3"} 50',
    'bronze_buffer_bytes 7'
  ]) {
    assert.ok(
      body.includes(`${line}\n`),
      `${line} in\n${body
        .split('\n')
        .filter(each => each.startsWith('bronze_'))
        .join('\n')}`
    )
  }
  await close()
})

test('a port that is taken is the fault of the command line, and is named', async () => {
  const metrics = new ConsumerMetrics({ lags: () => new Map(), bufferBytes: () => 0 })
  const ports = { health: new Health(), metrics, isReady: () => true }
  const first = await startServer('127.0.0.1', 0, ports)
  const { port } = first.address() as AddressInfo
  await assert.rejects(startServer('127.0.0.1', port, ports), {
    name: 'FatalError',
    reason: 'PortUnusable',
    message: new RegExp(`--port ${port} .*EADDRINUSE`)
  })
  first.close()
})

test('metrics tell what quality rules said of the rows that were committed', async () => {
  const { observer, get, close } = await serve()
  const quality = new QualityCounts(['is_valid_distance', 'is_valid_fare'])
  for (const [distance, fare, score] of [
    [true, true, 1],
    [true, undefined, 0.5],
    [false, undefined, 0]
  ] as const) {
    quality.add(0, distance)
    quality.add(1, fare)
    quality.endRow(score)
  }
  const part = { topic: 'trips', records: 3, deadLetters: 0, lastTimestampMs: 0 }
  observer.committed('bronze.trips', { startedMs: 0, endedMs: 1, topics: [{ ...part, quality }, part] })
  const { body } = await get('/metrics')
  const of = (rule: string) => `{table="bronze.trips",topic="trips",rule="${rule}"}`
  for (const line of [
    'bronze_quality_rows_total{table="bronze.trips",topic="trips"} 3',
    'bronze_quality_score_total{table="bronze.trips",topic="trips"} 1.5',
    `bronze_quality_passed_total${of('is_valid_distance')} 2`,
    `bronze_quality_passed_total${of('is_valid_fare')} 1`,
    `bronze_quality_errors_total${of('is_valid_distance')} 0`,
    `bronze_quality_errors_total${of('is_valid_fare')} 2`
  ]) {
    assert.ok(body.split('\n').includes(line), line)
  }
  await close()
})
