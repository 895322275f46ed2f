import { FatalError } from '../../../lib/errors.ts'
import type { TableMetadata } from './metadata.ts'

/** Values of properties under which a writer has to do what we do not. */
const REFUSED: readonly {
  readonly property: string
  readonly is: (value: string) => boolean
  readonly why: string
}[] = [
  {
    property: 'write.format.default',
    is: value => value.toLowerCase() !== 'parquet',
    why: 'asks for files of another format than Parquet'
  },
  {
    property: 'write.object-storage.enabled',
    is: value => value.toLowerCase() === 'true',
    why: 'asks for hashes in the paths of data files'
  },
  {
    property: 'write.location-provider.impl',
    is: () => true,
    why: 'asks for a class to choose the paths of data files'
  },
  { property: 'write.object-storage.path', is: () => true, why: 'names the location of data files in an old way' },
  { property: 'write.folder-storage.path', is: () => true, why: 'names the location of data files in an old way' },
  { property: 'encryption.key-id', is: value => value !== '', why: 'asks for encrypted files' }
]

/**
 * Refuses a table that asks of its writers what we do not implement (law 8): FatalError `UnsupportedTable` names the
 * property and the remedy. Properties that only tune an engine are passed over.
 */
export function checkWritable({ properties, isEncrypted }: TableMetadata, table: string): void {
  const refuse = (what: string, remedy: string) =>
    new FatalError(
      'UnsupportedTable',
      `Iceberg table ${table} ${what}, which Bronze Operator does not implement. ${remedy}, or name another table in spec.topics[].table.`
    )
  if (isEncrypted) throw refuse('has encryption keys', 'Copy it into a table without')
  for (const { property, is, why } of REFUSED) {
    const value = properties[property]
    if (value !== undefined && is(value)) throw refuse(`${why} (${property} = ${value})`, 'Remove the property')
  }
}
