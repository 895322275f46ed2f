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
}

const MAX_BYTES = 1024

export function encodeReport(report: Report): string {
  const { committedAtMs: at, version: ver, recordTimestampMs: ts, deadLetters: dl, sinkError, dataLoss } = report
  const text = JSON.stringify({
    bronze: 1,
    at,
    ver,
    ts,
    dl,
    ...(sinkError === undefined ? {} : { err: sinkError.slice(0, 64) }),
    ...(dataLoss === undefined ? {} : { loss: dataLoss })
  })
  return Buffer.byteLength(text) <= MAX_BYTES ? text : JSON.stringify({ bronze: 1, at, ver: '', ts, dl })
}

/** Undefined for metadata that is not ours: other tools may commit offsets to the group. */
export function decodeReport(metadata: string): Report | undefined {
  if (!metadata.startsWith('{"bronze":1,')) return undefined
  let parsed: { at?: unknown; ver?: unknown; ts?: unknown; dl?: unknown; err?: unknown; loss?: Report['dataLoss'] }
  try {
    parsed = JSON.parse(metadata) as typeof parsed
  } catch {
    return undefined
  }
  return {
    committedAtMs: Number(parsed.at ?? 0),
    version: typeof parsed.ver === 'string' ? parsed.ver : '',
    recordTimestampMs: Number(parsed.ts ?? 0),
    deadLetters: Number(parsed.dl ?? 0),
    ...(typeof parsed.err === 'string' ? { sinkError: parsed.err } : {}),
    ...(parsed.loss === undefined ? {} : { dataLoss: parsed.loss })
  }
}
