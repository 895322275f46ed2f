/** The service counts requests by channel, and each of ours at once goes to another. */
export const REQUESTS_AT_ONCE = 8

/** Names as Snowflake has them, in upper case. */
export interface Pipe {
  readonly database: string
  readonly schema: string
  readonly name: string
}

export interface ChannelState {
  /** Empty when the answer has none. See `isHealthy` in `answers.ts`. */
  readonly code: string
  /** Of the last rows that are in the table; undefined when none ever were. */
  readonly token: string | undefined
  /** Undefined when the answer does not tell. */
  readonly createdOnMs: number | undefined
  /** Rows that the service would not put into the table, since the channel was made. The token moves past them all the same. */
  readonly refusedRows: number
  /** The newest refused rows lie at or below this token. */
  readonly refusedUpTo: string | undefined
  readonly refusal: string | undefined
}

export interface OpenedChannel {
  /** For the next append. */
  readonly continuation: string
  readonly state: ChannelState
}

export interface AppendRequest {
  readonly continuation: string
  /** NDJSON, zstd; at most 4 MB. */
  readonly body: Buffer
  /** Of the last row. */
  readonly token: string
}

export type AppendAnswer =
  /** Received, and not yet in the table: the channel's token tells when it is. */
  | { readonly status: 'received'; readonly continuation: string }
  /** Somebody has opened the channel since: nothing of it will ever be in the table. */
  | { readonly status: 'stale' }
  /** The service wants the channel opened anew; what was appended and is not in the table yet is lost. */
  | { readonly status: 'invalid'; readonly code: string }
  /** Perhaps received. Opening the channel anew tells, and ends it. */
  | { readonly status: 'unknown'; readonly error: unknown }

/**
 * Named channels of Snowpipe Streaming. Opening a channel is the fence: whoever had it open before can append no more, what
 * of theirs is not yet in the table never will be, and the token that is returned is the last word
 * (snowpipe-streaming-channels: "When a channel re-open event occurs, any uncommitted data buffered in Snowflake is discarded").
 * RetryableError for trouble that may pass, FatalError when a person must act.
 */
export interface StreamingService {
  open(pipe: Pipe, channel: string): Promise<OpenedChannel>
  append(pipe: Pipe, channel: string, request: AppendRequest): Promise<AppendAnswer>
  /** Channels that are not there are absent. */
  statuses(pipe: Pipe, channels: readonly string[]): Promise<ReadonlyMap<string, ChannelState>>
  close(): void
}
