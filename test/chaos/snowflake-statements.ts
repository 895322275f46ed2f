import { gunzipSync } from 'node:zlib'

/** A request to Snowflake: a statement by its first word, an upload into a stage, or one about the session. */
export interface SnowflakeRequest {
  readonly kind: 'read' | 'write' | 'commit' | 'upload' | 'session'
  /** The statement writes a dead-letter table. */
  readonly isOfDeadLetters: boolean
}

const STATEMENT = '/queries/v1/query-request'
const WRITES = /^\s*(?:BEGIN|COPY|INSERT|UPDATE|MERGE|DELETE|CREATE|ALTER)\b/i
const DEAD_LETTERS = /^\s*INSERT\s+INTO\s+\S*"DLQ_/i

/** Of a statement nothing is kept but its kind: bodies hold records and credentials. */
export function snowflakeRequest(
  method: string,
  path: string,
  body: Buffer,
  encoding: string | undefined
): SnowflakeRequest {
  if (method === 'PUT') return { kind: 'upload', isOfDeadLetters: false }
  if (method !== 'POST') return { kind: 'read', isOfDeadLetters: false }
  if (!path.startsWith(STATEMENT)) return { kind: 'session', isOfDeadLetters: false }
  const text = sqlOf(encoding === 'gzip' ? gunzipSync(body) : body)
  const kind = /^\s*COMMIT\b/i.test(text) ? 'commit' : WRITES.test(text) ? 'write' : 'read'
  return { kind, isOfDeadLetters: DEAD_LETTERS.test(text) }
}

function sqlOf(body: Buffer): string {
  try {
    const { sqlText } = JSON.parse(body.toString()) as { sqlText?: unknown }
    return typeof sqlText === 'string' ? sqlText : ''
  } catch {
    return ''
  }
}
