import { FatalError, invariant } from '../../../../lib/errors.ts'
import { isNested, type ColumnType, type Field } from '../../../columns/schema.ts'

/**
 * How a field of ours is a column of Snowflake, and how its value gets there from a line of NDJSON: `staged` is the type that
 * the line's member has first, which needs no more than a cast of JSON (a COPY that transforms has few functions,
 * user-guide/data-load-transform), `write` what an INSERT makes of it.
 */
export interface SnowflakeType {
  /** As a CREATE TABLE says it. */
  readonly name: string
  readonly staged: StagedType
}

/** VARIANT members keep their JSON; casting a JSON null to any other type gives NULL (user-guide/semistructured-considerations). */
export type StagedType = 'VARCHAR' | 'NUMBER' | 'BOOLEAN' | 'VARIANT'

/** NUMBER has at most 38 digits, at most 37 of them after the point (sql-reference/data-types-numeric). */
const MAX_SCALE = 37

/** FatalError `UnsupportedType` for what Snowflake cannot hold exactly. */
export function snowflakeType({ name, type, isJson }: Field): SnowflakeType {
  if (isJson === true) return { name: 'VARIANT', staged: 'VARCHAR' }
  if (isNested(type)) return { name: 'VARIANT', staged: 'VARIANT' }
  if (typeof type === 'string') return SIMPLE[type]
  if ('fixed' in type) return { name: `BINARY(${type.fixed})`, staged: 'VARCHAR' }
  const { precision, scale } = type.decimal
  if (scale > MAX_SCALE) {
    throw new FatalError(
      'UnsupportedType',
      `Column ${name} has ${scale} digits after the point; Snowflake keeps ${MAX_SCALE}. Change its scale in spec.topics[].columns.`
    )
  }
  return { name: `NUMBER(${precision},${scale})`, staged: 'NUMBER' }
}

/**
 * Whole numbers are NUMBER(38,0), which INT and BIGINT are names of. TIMESTAMP_NTZ holds UTC: what it holds does not depend
 * on a session's time zone. Floating point is staged as JSON, since NaN and the infinities are strings there.
 */
const SIMPLE: Readonly<Record<Extract<ColumnType, string>, SnowflakeType>> = {
  string: { name: 'VARCHAR', staged: 'VARCHAR' },
  binary: { name: 'BINARY', staged: 'VARCHAR' },
  int: { name: 'NUMBER(38,0)', staged: 'NUMBER' },
  long: { name: 'NUMBER(38,0)', staged: 'NUMBER' },
  float: { name: 'FLOAT', staged: 'VARIANT' },
  double: { name: 'FLOAT', staged: 'VARIANT' },
  boolean: { name: 'BOOLEAN', staged: 'BOOLEAN' },
  timestamp: { name: 'TIMESTAMP_NTZ', staged: 'VARCHAR' },
  timestampNtz: { name: 'TIMESTAMP_NTZ', staged: 'VARCHAR' },
  time: { name: 'TIME', staged: 'VARCHAR' },
  date: { name: 'DATE', staged: 'VARCHAR' },
  uuid: { name: 'VARCHAR', staged: 'VARCHAR' }
}

/**
 * The largest that any column holds since release 9.17 (release-notes/bcr-bundles/2024_08/bcr-1779). VARCHAR without a length
 * holds 16 MiB or this, as the account has it (2025_07/bcr-2118); bytes in base64 need more than they do in BINARY.
 */
const STAGED_VARCHAR = 'VARCHAR(134217728)'

/** The type of a column of the batch table. */
export function stagedTypeName({ type, staged }: Staging): string {
  switch (staged) {
    case 'VARCHAR':
      return STAGED_VARCHAR
    case 'NUMBER':
      return type
    case 'BOOLEAN':
    case 'VARIANT':
      return staged
  }
}

/** The member of a line for the batch; `line` is an expression of the whole line. */
export function readExpression(line: string, { field, type, staged }: Staging): string {
  const member = `${line}:${memberPath(field.name)}`
  switch (staged) {
    case 'VARIANT':
      return member
    case 'NUMBER':
      return `${member}::${type}`
    case 'VARCHAR':
    case 'BOOLEAN':
      return `${member}::${staged}`
  }
}

interface Staging {
  readonly field: Field
  readonly type: string
  readonly staged: StagedType
}

/**
 * What the table's column gets; `staged` is the batch's column. Casts of text go by ISO 8601, which format AUTO knows and the
 * session's parameters ask for (`session-parameters.ts`); a Z at the end is UTC, as the session's time zone is.
 */
export function writeExpression(staged: string, field: Field, target: string): string {
  if (field.isJson === true) return `TRY_PARSE_JSON(${staged})`
  const { type } = field
  if (isNested(type)) return `STRIP_NULL_VALUE(${staged})`
  if (typeof type === 'object') return 'fixed' in type ? `TO_BINARY(${staged}, 'BASE64')` : staged
  switch (type) {
    case 'binary':
      return `TO_BINARY(${staged}, 'BASE64')`
    case 'timestamp':
    case 'timestampNtz':
    case 'date':
    case 'time':
      return `${staged}::${target}`
    case 'float':
    case 'double':
      return `CASE ${staged}::VARCHAR WHEN 'Infinity' THEN 'inf'::FLOAT WHEN '-Infinity' THEN '-inf'::FLOAT ELSE ${staged}::FLOAT END`
    case 'string':
    case 'int':
    case 'long':
    case 'boolean':
    case 'uuid':
      return staged
  }
}

/** A member's name as an element of a path; case matters there (user-guide/querying-semistructured). */
function memberPath(name: string): string {
  invariant(!/["\\]/.test(name), 'names of columns have no quotes')
  return `"${name}"`
}
