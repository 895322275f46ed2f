import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { planTables } from '../../../../../consumer/columns/bronze.ts'
import { DEAD_LETTER_TABLE } from '../../../../../consumer/sinks/snowflake/sql/dead-letters.ts'
import { memberName } from '../../../../../consumer/sinks/snowflake/streaming/staged.ts'
import { ownColumns, snowflakeTable } from '../../../../../consumer/sinks/snowflake/sql/table.ts'
import { readPipelines } from '../../../../../crds/documents.ts'
import { settle } from '../../../../../crds/settle.ts'

const EXAMPLE = fileURLToPath(new URL('../../../../../deploy/examples/commerce-snowflake.yaml', import.meta.url))

test('lines have a member for each column of the table, of exactly its name: a pipe drops any other', () => {
  const text = readFileSync(EXAMPLE, 'utf8').replace(/^(\s+)database:/m, '$1mode: Streaming\n$1database:')
  const { pipelines, problems } = readPipelines(text, EXAMPLE)
  assert.deepEqual(problems, [])
  const pipeline = settle(pipelines[0] as (typeof pipelines)[0])
  assert.ok(pipeline.sink.kind === 'snowflake' && pipeline.sink.snowflake.mode === 'Streaming')
  const plans = planTables(pipeline)
  assert.equal(plans.length, 2)
  for (const plan of plans) {
    const columns: readonly string[] = ownColumns(snowflakeTable(plan, pipeline, pipeline.sink.snowflake)).map(
      ({ name }) => name
    )
    assert.deepEqual(
      plan.schema.fields.flatMap(field => memberName(field) ?? []),
      columns
    )
    assert.ok(columns.includes('RAW_EVENT'))
  }
  assert.deepEqual(
    DEAD_LETTER_TABLE.map(({ name }) => name),
    ['FAILED_AT', 'ERROR_MESSAGE', 'RAW_PAYLOAD', 'KAFKA_METADATA']
  )
})
