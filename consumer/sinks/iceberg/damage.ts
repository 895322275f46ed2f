import { AvroError } from '../../avro/byte-reader.ts'
import { FatalError } from '../../../lib/errors.ts'
import { Malformed } from './checked.ts'

/** Runs what reads a file of the table; FatalError `TableDamaged` when the bytes are not what they should be. */
export function readable<T>(table: string, path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof AvroError) && !(error instanceof Malformed)) throw error
    throw damaged(table, path, `cannot be read: ${error.message}`)
  }
}

export const damaged = (table: string, path: string, what: string): FatalError =>
  new FatalError(
    'TableDamaged',
    `${path} of Iceberg table ${table} ${what}. Roll the table back to a snapshot whose files are whole.`
  )
