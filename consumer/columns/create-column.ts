import type { Leaf } from '../parquet/leaves.ts'
import { BytesColumn } from './bytes-column.ts'
import { DecimalColumn } from './decimal-column.ts'
import { FixedBytesColumn, UuidColumn } from './fixed-bytes-column.ts'
import { BooleanColumn, NumberColumn } from './fixed-column.ts'
import type { LeafColumn } from './leaf-column.ts'
import { LongColumn } from './long-column.ts'

export function createColumn(leaf: Leaf): LeafColumn {
  const { type } = leaf
  if (typeof type === 'object') {
    return 'decimal' in type ? new DecimalColumn(leaf, type.decimal) : new FixedBytesColumn(leaf, type.fixed)
  }
  switch (type) {
    case 'string':
    case 'binary':
      return new BytesColumn(leaf)
    case 'long':
    case 'timestamp':
    case 'timestampNtz':
    case 'time':
      return new LongColumn(leaf)
    case 'uuid':
      return new UuidColumn(leaf)
    case 'boolean':
      return new BooleanColumn(leaf)
    case 'int':
    case 'date':
    case 'float':
    case 'double':
      return new NumberColumn(leaf)
  }
}
