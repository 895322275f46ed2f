/** A statement and what is bound to its question marks, in order. Binds may be data: they are in no log and no error. */
export interface Statement {
  readonly text: string
  readonly binds?: readonly Bind[]
}

export type Bind = string | number | null

/** By the name of the column as the statement's result has it; all values as Snowflake writes them. */
export type Row = Readonly<Record<string, string | null>>

export interface StatementResult {
  readonly rows: readonly Row[]
  /** Rows inserted, updated and deleted; undefined when the statement was no DML. */
  readonly affected: number | undefined
}

/**
 * One session of Snowflake: a connection with a transaction of its own. Statements run one at a time, in the order in which
 * they are given. RetryableError when a statement did not work and may later, or when its outcome is unknown
 * (`SnowflakeUnavailable`, `SnowflakeTimeout`); FatalError when only a person can help.
 */
export interface SnowflakeSession {
  run(statement: Statement): Promise<StatementResult>
  /** Uploads a file into a stage (`@"DB"."SCHEMA"."STAGE"`) as it is; over a file of the same name. */
  put(stage: string, file: StageFile): Promise<void>
  /** Ends the session and rolls back what it left open, as far as Snowflake can be reached; never throws, never takes long. */
  close(): Promise<void>
}

export interface StageFile {
  /** Letters, digits, `-`, `_` and `.` only. */
  readonly name: string
  readonly bytes: Buffer
  readonly compression: 'ZSTD' | 'NONE'
}

/** Opens a session; Secrets are read anew each time. `tag` becomes the QUERY_TAG of its statements. */
export type OpenSession = (tag: string) => Promise<SnowflakeSession>
