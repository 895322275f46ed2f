import { createHash } from 'node:crypto'
import { invariant } from '../../../../lib/errors.ts'
import { formatKey, type OffsetKey } from '../../offset-key.ts'

/** Names fold here and there ("case-insensitive" in paths, "case-sensitive" in lists), so that ours have one case only. */
const NAME = /^BRONZE_[A-Z0-9_]{1,120}$/
const MAX_SPOKEN = 40
const HASH_DIGITS = 24

/**
 * The channel of one key, on the pipe of its table or of its dead-letter table: the same for ever and in every process. Topics and
 * topic ids that differ in case alone are told apart by the hash; the rest is for people, in SHOW CHANNELS.
 * (docs.snowflake.com, user-guide/snowpipe-streaming/snowpipe-streaming-high-performance-rest-api, "Open Channel".)
 */
export function channelName(key: OffsetKey): string {
  const spoken = key.topic
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .slice(0, MAX_SPOKEN)
  const hash = createHash('sha256').update(formatKey(key)).digest('hex').slice(0, HASH_DIGITS).toUpperCase()
  const name = `BRONZE_${spoken}_${key.partition}_E${key.epoch}_${hash}`
  invariant(NAME.test(name), `${name} is the name of a channel`)
  return name
}

/** The pipe that Snowflake makes for every table when its first channel is opened (snowpipe-streaming-pipe-object, "Default pipe"). */
export const defaultPipe = (table: string): string => `${table}-STREAMING`
