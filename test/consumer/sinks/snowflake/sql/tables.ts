import { readFileSync } from 'node:fs'
import assert from 'node:assert/strict'
import { planTables } from '../../../../../consumer/columns/bronze.ts'
import { snowflakeTable, type SnowflakeTable } from '../../../../../consumer/sinks/snowflake/sql/table.ts'
import type { StagedRange } from '../../../../../consumer/sink.ts'
import { readPipelines } from '../../../../../crds/documents.ts'
import { settle } from '../../../../../crds/settle.ts'
import type { SettledPipeline, SnowflakeSink } from '../../../../../crds/settled.ts'
import { pipelineOf } from '../../../../fakes/pipelines.ts'

/** A pipeline among the examples. */
export function example(name: string): SettledPipeline {
  const path = new URL(`../../../../../deploy/examples/${name}.yaml`, import.meta.url)
  const { pipelines, problems } = readPipelines(readFileSync(path, 'utf8'), name)
  assert.deepEqual(problems, [])
  const [pipeline] = pipelines
  assert.ok(pipeline !== undefined)
  return settle(pipeline)
}

/** A pipeline whose sink is Snowflake, with a topic `orders` and what else its spec says. */
export const shop = (spec: string, sink = ''): SettledPipeline =>
  pipelineOf(
    `sink: {snowflake: {account: acme-shop, database: shop, credentialsSecretRef: {name: key}${sink}}}\n${spec}`
  )

export function sinkOf({ sink }: SettledPipeline): SnowflakeSink {
  assert.ok(sink.kind === 'snowflake')
  return sink.snowflake
}

/** The pipeline's first table. */
export function tableOf(pipeline: SettledPipeline): SnowflakeTable {
  const [plan] = planTables(pipeline)
  assert.ok(plan !== undefined)
  return snowflakeTable(plan, pipeline, sinkOf(pipeline))
}

export const range = (partition: number, expectedOffset: number | undefined, nextOffset: number): StagedRange => ({
  topic: 'raw.orders.v1',
  topicId: 'b7Kz0Q3mT7Kx1uH5oE9pLw',
  partition,
  epoch: 0,
  expectedOffset,
  nextOffset,
  records: nextOffset - (expectedOffset ?? 0),
  deadLetters: 0
})

export const AUTHOR = {
  pipeline: 'commerce/commerce',
  createdAt: '2026-11-21T09:00:00Z',
  consumerId: 'commerce-0'
}
export const NOW_MS = Date.parse('2026-11-21T10:00:05.123Z')
