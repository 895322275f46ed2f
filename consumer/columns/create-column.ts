import type { Leaf } from '../parquet/leaves.ts'
import { BytesColumn } from './bytes-column.ts'
import { BooleanColumn, NumberColumn } from './fixed-column.ts'
import type { LeafColumn } from './leaf-column.ts'
import { LongColumn } from './long-column.ts'

export function createColumn(leaf: Leaf): LeafColumn {
  switch (leaf.type) {
    case 'string':
    case 'binary':
      return new BytesColumn(leaf)
    case 'long':
    case 'timestamp':
      return new LongColumn(leaf)
    case 'boolean':
      return new BooleanColumn(leaf)
    case 'int':
    case 'date':
    case 'float':
    case 'double':
      return new NumberColumn(leaf)
  }
}
