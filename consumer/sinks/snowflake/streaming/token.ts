import { FatalError } from '../../../../lib/errors.ts'
import type { CommitAuthor } from '../../../sink.ts'

/**
 * What we give with the rows of a request, and Snowflake keeps with them: it neither orders nor compares offset tokens
 * (snowpipe-streaming-channels, "Roles of offsetToken and continuationToken"; snowflakedb/snowflake-ingest-java issue 644).
 */
export interface OffsetToken {
  /** The next offset to read after the request's last row. */
  readonly next: number
  /** The taking of the key under which it was written: tells our own rows from those of whoever held the channel before. */
  readonly writeId: string
  readonly commitId: string
  /** Undefined when a person has set the token by hand. */
  readonly author: CommitAuthor | undefined
}

const SEPARATOR = '~'
const NUMBER = /^(?:0|[1-9]\d{0,15})$/

/** Text without blanks: `120~<write id>~<commit id>~<pipeline>~<created>~<consumer>`. */
export function formatToken({ next, writeId, commitId, author }: OffsetToken): string {
  const { pipeline = '', createdAt = '', consumerId = '' } = author ?? {}
  return [String(next), ...[writeId, commitId, pipeline, createdAt, consumerId].map(escaped)].join(SEPARATOR)
}

/**
 * Undefined for a channel without a token: nothing was ever committed through it. A bare number is what a person sets with
 * SYSTEM$SNOWPIPE_STREAMING_UPDATE_CHANNEL_OFFSET_TOKEN. FatalError when it is neither.
 */
export function parseToken(text: string | undefined, channel: string): OffsetToken | undefined {
  if (text === undefined || text === '') return undefined
  const [next = '', ...rest] = text.split(SEPARATOR)
  const [writeId = '', commitId = '', pipeline = '', createdAt = '', consumerId = ''] = rest.map(unescaped)
  if (!NUMBER.test(next) || !Number.isSafeInteger(Number(next)) || (rest.length !== 0 && rest.length !== 5)) {
    throw new FatalError(
      'UnknownOffsetToken',
      `Channel ${channel} has an offset token that Bronze Operator did not write: somebody else uses the channel. ` +
        'Drop it (or set its token to the next offset to read), and leave channels named BRONZE_… alone.'
    )
  }
  const author = pipeline === '' ? undefined : { pipeline, createdAt: createdAt || undefined, consumerId }
  return { next: Number(next), writeId, commitId, author }
}

const escaped = (text: string): string => encodeURIComponent(text).replaceAll(SEPARATOR, '%7E')

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
