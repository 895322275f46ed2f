import type { SettledTopic } from '../../crds/settled.ts'
import type { RecordCursor } from '../record-batch.ts'
import { poison, type Poison } from './dead-letter.ts'

/** Confluent's wire format: a byte 0, then the id of the schema in four bytes, then the value. */
export const FRAME_BYTES = 5

/** Whether the entry's values stay whole behind their frames: then who lifts from them passes over those. */
export const isWholeBehindFrame = ({ format, schema }: Pick<SettledTopic, 'format' | 'schema'>): boolean =>
  format === 'JsonSchema' && schema.mode === 'Payload'

/** Bytes at the front of values that the column Value leaves out: the frame, where what follows is text. */
export function bytesBeforeValue({
  format,
  metadataColumns
}: Pick<SettledTopic, 'format' | 'metadataColumns'>): number {
  const value = metadataColumns.find(({ source }) => source === 'Value')
  return format === 'JsonSchema' && value !== undefined && value.type !== 'Binary' ? FRAME_BYTES : 0
}

export const isFramed = ({ bytes, valueStart, valueLength }: RecordCursor): boolean =>
  valueLength >= FRAME_BYTES && bytes[valueStart] === 0

export const notFramed = (): Poison =>
  poison('Parse', 'NotFramed', 'the value does not begin with a byte 0 and the id of a schema')
