import type { ChannelState, OpenedChannel } from './service.ts'

/**
 * What an answer of the service means. Sources: snowpipe-streaming-high-performance-rest-api ("Error response structure"),
 * snowpipe-streaming-high-performance-error-handling ("Client-side error handling and required actions").
 *
 * - stale: the continuation token is not the newest: somebody opened the channel since
 * - invalid: the channel must be opened anew
 * - busy: not taken up, try again later
 * - unknown: it may have taken effect
 * - unauthorized, forbidden, missing, refused: a person must act
 */
export type Verdict =
  | 'ok'
  | 'stale'
  | 'invalid'
  | 'busy'
  | 'unknown'
  | 'unauthorized'
  | 'forbidden'
  | 'missing'
  | 'tooLarge'
  | 'refused'

const STALE = new Set(['STALE_CONTINUATION_TOKEN_SEQUENCER', 'ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER'])
const INVALID = new Set([
  'ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER',
  'ERR_CHANNEL_MUST_BE_REOPENED',
  'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP',
  'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
  'STALE_PIPE_CACHE'
])
/** Seen with other statuses than 503 too; the service names the action that it wants. */
const BUSY = new Set([
  'ERR_OPEN_CHANNEL_IN_PROGRESS',
  'ERR_CHANNEL_HAS_UNCOMMITTED_DATA',
  'ERR_PIPE_IN_INVALID_STATE',
  'RECEIVER_SATURATED',
  'ReceiverSaturated',
  'MemoryThresholdExceeded',
  'MemoryThresholdExceededInContainer',
  'HttpRetryableClientError'
])
const RETRY = 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST'
const MISSING = /^ERR_(?:PIPE|TABLE|SCHEMA|DATABASE)_DOES_NOT_EXIST/

export function verdictOf(status: number, code: string): Verdict {
  if (status >= 200 && status < 300) return 'ok'
  if (STALE.has(code)) return 'stale'
  if (INVALID.has(code)) return 'invalid'
  if (BUSY.has(code) || status === 429) return 'busy'
  if (MISSING.test(code)) return 'missing'
  if (code === RETRY || status >= 500 || status === 408) return 'unknown'
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'missing'
  // "The channel is no longer valid; for example, superseded by another client."
  if (status === 409) return 'stale'
  return status === 413 ? 'tooLarge' : 'refused'
}

/** The code of an error: a member of an object (`code`, in places `error_code`), or the whole body; empty when there is none. */
export function codeOf(body: string): string {
  const parsed = parsedJson(body)
  const code = typeof parsed === 'string' ? parsed : (text(parsed, 'code') ?? text(parsed, 'error_code'))
  return code !== undefined && /^[A-Za-z0-9_]{1,80}$/.test(code) ? code : ''
}

/** Codes that a status may have while all is well; the pages say SUCCESS here and ACTIVE there. */
export const isHealthy = ({ code }: ChannelState): boolean => code === '' || code === 'SUCCESS' || code === 'ACTIVE'

/** Undefined when the answer is not what "Open Channel" describes. */
export function openedChannel(body: string): OpenedChannel | undefined {
  const parsed = parsedJson(body)
  const continuation = text(parsed, 'next_continuation_token')
  const status = member(parsed, 'channel_status')
  if (continuation === undefined || status === undefined) return undefined
  return { continuation, state: channelState(status) }
}

/** The continuation token after an append; undefined when there is none. */
export const continuationOf = (body: string): string | undefined => text(parsedJson(body), 'next_continuation_token')

/** By channel; undefined when the answer is not what "Bulk Get Channel Status" describes. */
export function channelStates(body: string): ReadonlyMap<string, ChannelState> | undefined {
  const statuses = member(parsedJson(body), 'channel_statuses')
  if (!isObject(statuses)) return undefined
  return new Map(Object.entries(statuses).map(([name, status]) => [name, channelState(status)]))
}

/** A value alone, or as the named member of an object: the tutorial shows the one, the reference the other. */
export function valueOrMember(body: string, name: string): string | undefined {
  const parsed = parsedJson(body)
  const value = typeof parsed === 'string' ? parsed : isObject(parsed) ? text(parsed, name) : body.trim()
  return value === undefined || value === '' || /[\s{}"]/.test(value) ? undefined : value
}

function channelState(status: unknown): ChannelState {
  return {
    code: text(status, 'channel_status_code') ?? '',
    token: text(status, 'last_committed_offset_token'),
    createdOnMs: count(status, 'created_on_ms'),
    // "rows_error_count" where a channel is opened, "rows_errors" in the list of the reference.
    refusedRows: count(status, 'rows_error_count') ?? count(status, 'rows_errors') ?? 0,
    refusedUpTo: text(status, 'last_error_offset_upper_bound'),
    refusal: text(status, 'last_error_message')
  }
}

function parsedJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const member = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

/** Undefined for null, for what is empty, and for other types. */
function text(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** As a number, or as text of digits: the reference calls some of them long. */
function count(value: unknown, name: string): number | undefined {
  const found = member(value, name)
  const number = typeof found === 'string' && /^\d{1,16}$/.test(found) ? Number(found) : found
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
