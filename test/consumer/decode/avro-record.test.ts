import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchema } from '../../../consumer/avro/parse-schema.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { AvroRecords } from '../../../consumer/decode/avro-record.ts'
import { AvroScanner } from '../../../consumer/decode/avro-scanner.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'
import { randomFrom } from '../../chaos/random.ts'
import { otherType, randomRecord } from '../../fakes/avro.ts'
import { asRead, bindAll } from '../../fakes/columns.ts'
import { pagesOf, rowsOf } from '../../fakes/parquet.ts'

test('what another library writes becomes the same columns as the values themselves, for random schemas', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomFrom(seed, 1)
    const sample = randomRecord(random)
    const other = otherType(sample.schema)
    const made = Array.from({ length: 1 + Math.floor(random() * 30) }, () => sample.make())
    const records = new AvroRecords(parseSchema(JSON.stringify(sample.schema)), dialectOf('iceberg'), new AvroScanner())
    const schema = { fields: records.fields, partitionBy: [] }
    const [rows, expected] = [new RowGroupBuffer(schema), new RowGroupBuffer(schema)]
    const bindings = bindAll(records.fields)
    for (const { written, row } of made) {
      const bytes = Buffer.concat([Buffer.from('before'), other.toBuffer(written), Buffer.from('after')])
      assert.equal(records.check(bytes, 6, bytes.length - 5), undefined, `seed ${seed}`)
      records.append(rows, bindings)
      rows.endRow()
      expected.appendRow(row as Record<string, unknown>)
    }
    assert.deepEqual(pagesOf(rows), pagesOf(expected), `seed ${seed}: ${JSON.stringify(sample.schema)}`)
    const read = made.map(({ row }) => asRead(schema, row as Record<string, unknown>))
    assert.deepEqual(await rowsOf(encodeParquet(schema, [rows])), read, `seed ${seed}`)
  }
})
