import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { stageRows } from '../../../../consumer/sinks/snowflake/staging.ts'
import type { StageFile } from '../../../../consumer/sinks/snowflake/session/session.ts'
import { RowGroupBuffer } from '../../../../consumer/columns/row-group.ts'
import { Gate } from '../../../../lib/gate.ts'

const SCHEMA = { fields: [{ name: 'text', type: 'string', nullable: true }], partitionBy: [] } as const

/** Rows that hardly compress. */
function groupOf(rows: number): RowGroupBuffer {
  const group = new RowGroupBuffer(SCHEMA)
  for (let row = 0; row < rows; row++) group.appendRow({ text: randomBytes(500).toString('base64') })
  return group
}

const LIMITS = { inlineBytes: 100_000, fileBytes: 200_000 }

const refuse = async () => assert.fail('nothing is uploaded')

test('rows up to the limit stay with the statement, in order', async () => {
  const groups = [groupOf(40), groupOf(40)]
  const staged = await stageRows(groups, 'c-rows', LIMITS, refuse, new Gate(1))
  assert.ok(staged.kind === 'inline')
  assert.equal(staged.rows, 80)
  assert.equal(staged.lines.join('').split('\n').length, 81)
  assert.deepEqual(await stageRows([], 'c-dlq', LIMITS, refuse, new Gate(1)), { kind: 'inline', rows: 0, lines: [] })
})

test('more goes into files of bounded size, each row once and in order', async () => {
  const groups = [groupOf(1_000), groupOf(1_500)]
  const files: StageFile[] = []
  const staged = await stageRows(groups, 'c-rows', LIMITS, async file => void files.push(file), new Gate(1))
  assert.ok(staged.kind === 'files')
  assert.equal(staged.rows, 2_500)
  assert.deepEqual(
    staged.names,
    files.map(({ name }) => name)
  )
  assert.equal(new Set(staged.names).size, files.length)
  assert.ok(files.length > 2, String(files.length))
  // What the compressor holds back comes on top.
  for (const { bytes } of files) assert.ok(bytes.length < 2 * LIMITS.fileBytes, String(bytes.length))
  const lines = files.map(({ bytes }) => zstdDecompressSync(bytes).toString()).join('')
  const inline = await stageRows(groups, 'c-rows', { ...LIMITS, inlineBytes: Infinity }, refuse, new Gate(1))
  assert.ok(inline.kind === 'inline')
  assert.equal(lines, inline.lines.join(''))
})
