import { shortCount, shortSeconds } from '../lib/figures.ts'
import type { Progress, RunStatus, TopicStatus } from './status.ts'

const GAP = '   '

/** Rows under a header, each column as wide as its widest cell; the last is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  return rows.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join(GAP)
      .trimEnd()
  )
}

/** The line of `kubectl get bp`, and its header. */
function summaryRows(status: RunStatus): string[][] {
  const { name, trouble, topics, sink, consumers, readyConsumers, partitions, lag, behindSeconds, deadLetters } = status
  const age = shortSeconds((status.atMs - status.startedMs) / 1000)
  return [
    ['NAME', 'READY', 'TOPICS', 'SINK', 'PODS', 'PARTS', 'LAG', 'BEHIND', 'DLQ', 'AGE'],
    [
      name,
      trouble === undefined ? 'True' : 'False',
      String(topics.length),
      sink,
      `${readyConsumers}/${consumers.length}`,
      shortCount(partitions),
      shortCount(lag),
      shortSeconds(behindSeconds),
      shortCount(deadLetters),
      age
    ]
  ]
}

/** At most `count` topics: those furthest behind, unknown before all, in the order they came in. */
export function worst(topics: readonly TopicStatus[], count: number): TopicStatus[] {
  const lag = (topic: TopicStatus) => topic.lag ?? Infinity
  const chosen = new Set(topics.toSorted((a, b) => (lag(a) === lag(b) ? 0 : lag(b) - lag(a))).slice(0, count))
  return topics.filter(topic => chosen.has(topic))
}

function topicRows(topics: readonly TopicStatus[]): string[][] {
  const rows = topics.map(({ topic, table, partitions, lag, behindSeconds, deadLetters, sinkError }) => [
    topic,
    table,
    shortCount(partitions),
    shortCount(lag),
    shortSeconds(behindSeconds),
    shortCount(deadLetters),
    sinkError ?? ''
  ])
  return [['TOPIC', 'TABLE', 'PARTS', 'LAG', 'BEHIND', 'DLQ', ''], ...rows]
}

const BAR_WIDTH = 30

/** `catching up ██████░░░░ 62 %   48k to go   12k/s   about 4s` */
export function progressLine({ fraction, toGo, recordsPerSecond }: Progress): string {
  const filled = Math.floor(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  const parts = [`catching up ${bar} ${Math.floor(fraction * 100)} %`, `${shortCount(toGo)} to go`]
  if (recordsPerSecond !== undefined && recordsPerSecond > 0) {
    parts.push(`${shortCount(recordsPerSecond)}/s`, `about ${shortSeconds(Math.ceil(toGo / recordsPerSecond))}`)
  }
  return parts.join(GAP)
}

/** The whole picture in at most `size.rows` lines of at most `size.columns` characters. */
export function picture(status: RunStatus, size: { readonly columns: number; readonly rows: number }): string[] {
  const lines = columns(summaryRows(status))
  if (status.trouble !== undefined) lines.push(`not ready: ${status.trouble}`)
  const foot = status.progress === undefined ? [] : ['', progressLine(status.progress)]
  // Two blank lines and the header of the topics, and one line that says how many are left out.
  const room = Math.max(1, size.rows - lines.length - foot.length - 3)
  const shown = worst(status.topics, status.topics.length <= room ? room : Math.max(1, room - 1))
  const omitted = status.topics.length - shown.length
  if (shown.length > 0) lines.push('', ...columns(topicRows(shown)))
  if (omitted > 0) lines.push(`and ${omitted} more`)
  return [...lines, ...foot].map(line => clip(line, size.columns))
}

/** One line for logs: `taxi ready 2/2, lag 12k, behind 3s, dead letters 4`. */
export function oneLine(status: RunStatus): string {
  const { name, trouble, consumers, readyConsumers, lag, behindSeconds, deadLetters, progress } = status
  const state = trouble === undefined ? 'ready' : `not ready (${trouble})`
  const figures = `lag ${shortCount(lag)}, behind ${shortSeconds(behindSeconds)}, dead letters ${shortCount(deadLetters)}`
  const rate = progress?.recordsPerSecond === undefined ? '' : `, ${shortCount(progress.recordsPerSecond)}/s`
  return `${name} ${state} ${readyConsumers}/${consumers.length}, ${figures}${rate}`
}

export function clip(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}
