import { ownColumns } from '../../../../../consumer/sinks/snowflake/sql/table.ts'
import type { FoundColumn, FoundObjects } from '../../../../../consumer/sinks/snowflake/sql/look.ts'
import type { SettledPipeline } from '../../../../../crds/settled.ts'
import { COMMITS_COLUMNS } from '../../../../../consumer/sinks/snowflake/sql/commits.ts'
import { DEAD_LETTER_TABLE } from '../../../../../consumer/sinks/snowflake/sql/dead-letters.ts'
import { LEDGER_COLUMNS } from '../../../../../consumer/sinks/snowflake/sql/ledger-table.ts'
import { tableOf } from './tables.ts'

/** A column as INFORMATION_SCHEMA tells it, from the type that a CREATE TABLE said. */
export function foundColumn(name: string, type: string, more: Partial<FoundColumn> = {}): FoundColumn {
  const [, base = type, first, second] = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?/.exec(type) ?? []
  const isNumber = base === 'NUMBER'
  return {
    name,
    type: base === 'VARCHAR' ? 'TEXT' : base,
    length:
      base === 'VARCHAR' ? Number(first ?? 16_777_216) : base === 'BINARY' ? Number(first ?? 8_388_608) : undefined,
    precision: isNumber ? Number(first ?? 38) : undefined,
    scale: isNumber ? Number(second ?? 0) : undefined,
    fraction: base.startsWith('TIME') ? Number(first ?? 9) : undefined,
    isNullable: !type.includes('NOT NULL'),
    hasDefault: false,
    ...more
  }
}

/** What is there after `initStatements`. */
export function found(pipeline: SettledPipeline): FoundObjects {
  const table = tableOf(pipeline)
  const columns = (all: readonly { readonly name: string; readonly type: string }[]) =>
    all.map(({ name, type }) => foundColumn(name, type))
  return {
    hasSchema: true,
    hasStage: true,
    hasTable: true,
    table: columns(ownColumns(table)),
    deadLetters: table.objects.deadLetterRef === undefined ? undefined : columns(DEAD_LETTER_TABLE),
    ledger: columns(LEDGER_COLUMNS),
    commits: columns(COMMITS_COLUMNS)
  }
}
