import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lifter } from '../../../consumer/decode/lifter.ts'
import { HeaderIndex } from '../../../consumer/decode/header-index.ts'
import { QualityCounts } from '../../../consumer/decode/quality-counts.ts'
import { createRuleSet } from '../../../consumer/decode/quality.ts'
import { RecordCursor } from '../../../consumer/record-batch.ts'
import { settledOf, snowflake } from '../../crds/settled-of.ts'
import { dataBatch } from '../../fakes/records.ts'

const PARTITION = { topic: 'trips', topicId: 'id', partition: 3 }

test('rules see a value of type Variant as text, whatever else of the record the table leaves out', () => {
  const rules = [
    { name: 'has_fare', expression: 'RAW_EVENT.contains("fare")' },
    { name: 'is_third', expression: '_kafka_partition == 3' }
  ]
  const [entry] = settledOf({
    sink: snowflake({}),
    topics: [{ name: 'trips', table: 'trips', format: 'Json', quality: { rules } }],
    metadataColumns: [
      { source: 'Value', name: 'RAW_EVENT' },
      { source: 'Offset', omit: true }
    ]
  }).topics
  assert.ok(entry !== undefined)
  const ruleSet = createRuleSet(entry)
  assert.ok(ruleSet !== undefined)
  const [cursor, headers, lifter] = [new RecordCursor(), new HeaderIndex(), new Lifter(entry)]
  cursor.reset(dataBatch(PARTITION, 41, [{ value: '{"fare":1}' }]))
  assert.ok(cursor.next())
  headers.read(cursor)
  assert.equal(lifter.check(cursor, headers), undefined)
  ruleSet.evaluate(cursor, PARTITION, lifter.lifted, undefined, new QualityCounts(ruleSet.names))
  assert.deepEqual([...ruleSet.results], [1, 1])
})
