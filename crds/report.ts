/**
 * What a consumer tells the operator about one partition, carried as the `metadata` string of its Kafka offset commits
 * (consumers have no Kubernetes token, the operator has no sink client). At most 1 KiB; brokers allow 4,096 bytes.
 */
export interface Report {
  /** When the table took its last commit for this partition, ms since the epoch; 0 before the first. */
  readonly committedAtMs: number
  /** The table's version after that commit, as its format names it. */
  readonly version: string
  /** Timestamp of the newest record in the table, ms since the epoch; 0 when unknown. */
  readonly recordTimestampMs: number
  /** Dead letters of this partition so far. */
  readonly deadLetters: number
  /** Code of the trouble the sink has now; absent when the last commit went well. */
  readonly sinkError?: string
  /** The last loss in the source that `onDataLoss: Continue` went over: kind and time in ms since the epoch. */
  readonly dataLoss?: { readonly kind: string; readonly atMs: number }
  /** Where reading ends, of an entry that ends and once it is known where. */
  readonly end?: ReportedEnd
}

export interface ReportedEnd {
  /** The first offset that is not read. */
  readonly offset: number
  /** The time that was asked for, ms since the epoch; absent where an offset was. */
  readonly timestampMs?: number
  /** When this was told, ms since the epoch. */
  readonly atMs: number
}

const MAX_BYTES = 1024

export function encodeReport(report: Report): string {
  const { committedAtMs: at, version: ver, recordTimestampMs: ts, deadLetters: dl, sinkError, dataLoss, end } = report
  const text = JSON.stringify({
    bronze: 1,
    at,
    ver,
    ts,
    dl,
    ...(sinkError === undefined ? {} : { err: sinkError.slice(0, MAX_WORD) }),
    ...(dataLoss === undefined ? {} : { loss: dataLoss }),
    ...(end === undefined ? {} : { end })
  })
  return Buffer.byteLength(text) <= MAX_BYTES ? text : JSON.stringify({ bronze: 1, at, ver: '', ts, dl, end })
}

/**
 * Undefined for metadata that is not ours: other tools may commit offsets to the group. Whoever may commit may also write what
 * looks like ours: what it says is brought into its limits.
 */
export function decodeReport(metadata: string): Report | undefined {
  if (!metadata.startsWith('{"bronze":1,')) return undefined
  let parsed: Readonly<Record<'at' | 'ver' | 'ts' | 'dl' | 'err' | 'loss' | 'end', unknown>>
  try {
    parsed = JSON.parse(metadata) as typeof parsed
  } catch {
    return undefined
  }
  const dataLoss = lossOf(parsed.loss)
  const end = endOf(parsed.end)
  return {
    committedAtMs: countOf(parsed.at, MAX_TIME_MS),
    version: typeof parsed.ver === 'string' ? parsed.ver.slice(0, MAX_WORD) : '',
    recordTimestampMs: countOf(parsed.ts, MAX_TIME_MS),
    deadLetters: countOf(parsed.dl, Number.MAX_SAFE_INTEGER),
    ...(typeof parsed.err === 'string' ? { sinkError: parsed.err.slice(0, MAX_WORD) } : {}),
    ...(dataLoss === undefined ? {} : { dataLoss }),
    ...(end === undefined ? {} : { end })
  }
}

const MAX_WORD = 64
/** The last moment of the year 9999: later ones have no form that everybody reads. */
const MAX_TIME_MS = 253_402_300_799_999

/** 0 for what is no number of that range. */
function countOf(value: unknown, most: number): number {
  return typeof value === 'number' && value >= 0 && value <= most ? Math.floor(value) : 0
}

function lossOf(value: unknown): Report['dataLoss'] {
  const { kind, atMs } = (value ?? {}) as { readonly kind?: unknown; readonly atMs?: unknown }
  return typeof kind === 'string' ? { kind: kind.slice(0, MAX_WORD), atMs: countOf(atMs, MAX_TIME_MS) } : undefined
}

/** An end that is half told is none: nothing is complete by it. */
function endOf(value: unknown): ReportedEnd | undefined {
  const { offset, timestampMs, atMs } = (value ?? {}) as Readonly<Record<string, unknown>>
  const isOffset = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0
  if (!isOffset || typeof atMs !== 'number') return undefined
  const time = typeof timestampMs === 'number' ? { timestampMs } : {}
  return { offset, ...time, atMs: countOf(atMs, MAX_TIME_MS) }
}
