import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { BytesColumn } from '../columns/bytes-column.ts'
import type { LongColumn } from '../columns/long-column.ts'
import type { Partition } from '../partition.ts'
import type { DeadLetter } from './dead-letter.ts'
import { bytesColumn, HeaderColumns } from './header-columns.ts'
import { IngestionId } from './ingestion-id.ts'
import { appendBytes, appendMillis, longColumn } from './row-writer.ts'

/** Writes dead letters into the columns of one row group of a dead-letter table. */
export class DeadLetterWriter {
  readonly #rows: RowGroupBuffer
  readonly #offset: LongColumn
  readonly #lastOffset: LongColumn
  readonly #timestamp: LongColumn
  readonly #key: BytesColumn
  readonly #headers: HeaderColumns
  readonly #value: BytesColumn
  readonly #id: BytesColumn
  readonly #ingestionId: IngestionId
  readonly #failedAt: LongColumn
  readonly #reason: BytesColumn
  readonly #stage: BytesColumn
  readonly #error: BytesColumn

  constructor(rows: RowGroupBuffer, pipeline: string, consumerId: string, partition: Partition, epoch: number) {
    this.#rows = rows
    rows.setConstant('_kafka_topic', partition.topic)
    rows.setConstant('_kafka_partition', partition.partition)
    rows.setConstant('pipeline', pipeline)
    rows.setConstant('consumer_id', consumerId)
    this.#offset = longColumn(rows, '_kafka_offset')
    this.#lastOffset = longColumn(rows, '_kafka_last_offset')
    this.#timestamp = longColumn(rows, '_kafka_timestamp')
    this.#key = bytesColumn(rows, '_kafka_key')
    this.#headers = new HeaderColumns(rows, '_kafka_headers')
    this.#value = bytesColumn(rows, 'value')
    this.#id = bytesColumn(rows, '_ingestion_id')
    this.#ingestionId = new IngestionId(partition, epoch)
    this.#failedAt = longColumn(rows, 'failed_at')
    this.#reason = bytesColumn(rows, 'reason')
    this.#stage = bytesColumn(rows, 'stage')
    this.#error = bytesColumn(rows, 'error')
  }

  append({ cursor, headers, lastOffset, poison }: DeadLetter, nowMs: number): void {
    const { bytes } = cursor
    this.#offset.append(cursor.offset)
    this.#lastOffset.append(lastOffset)
    appendMillis(this.#timestamp, cursor.timestampMs)
    appendBytes(this.#key, bytes, cursor.keyStart, cursor.keyLength)
    this.#headers.append(bytes, headers)
    appendBytes(this.#value, bytes, cursor.valueStart, cursor.valueLength)
    this.#ingestionId.set(cursor.offset)
    this.#id.append(this.#ingestionId.bytes, 0, this.#ingestionId.length)
    appendMillis(this.#failedAt, nowMs)
    appendText(this.#reason, poison.reason)
    appendText(this.#stage, poison.stage)
    appendText(this.#error, poison.message)
    this.#rows.endRow()
  }
}

function appendText(column: BytesColumn, text: string): void {
  const bytes = Buffer.from(text)
  column.append(bytes, 0, bytes.length)
}
