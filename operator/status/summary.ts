import type { Lag, LastCommit, StatusSummary, TopicStatus } from '../../crds/pipeline.ts'
import { shortCount, shortSeconds, UNKNOWN } from '../../lib/figures.ts'
import type { Facts } from '../facts.ts'
import { timeText } from '../kube/times.ts'
import type { EntryLag, PipelineLag } from '../source/lag.ts'

const MAX_TOPICS = 50

/** The texts of `kubectl get`. */
export function summaryOf(facts: Facts): StatusSummary {
  const { workload, sizing, settled } = facts
  const lag = currentLag(facts)
  return {
    topics: topicsText(facts.source.lag, settled?.topics.length),
    sink: settled?.sink.kind ?? UNKNOWN,
    pods: `${workload.ready}/${sizing.replicas ?? workload.wanted}`,
    lag: shortCount(lag?.lag),
    behind: shortSeconds(lag?.behindSeconds),
    deadLetters: shortCount(lag?.deadLetters)
  }
}

/** Figures from before the source was in trouble are not figures of now. */
export function currentLag({ source: { lag, trouble } }: Facts): PipelineLag | undefined {
  return trouble === undefined ? lag : undefined
}

/** `8`, or `3/4` when topics are missing. */
function topicsText(lag: PipelineLag | undefined, entries: number | undefined): string {
  if (lag === undefined) return entries === undefined ? UNKNOWN : `${UNKNOWN}/${entries}`
  const found = lag.entries.reduce((sum, { topics }) => sum + topics.length, 0)
  const missing = lag.entries.filter(entry => entry.missing !== undefined).length
  return missing === 0 ? String(found) : `${found}/${found + missing}`
}

/** Undefined when neither figure is known: server-side apply makes null of an object that became empty. */
export function lagOf({ lag, behindSeconds }: PipelineLag): Lag | undefined {
  if (!isCount(lag) && behindSeconds === undefined) return undefined
  return {
    ...(isCount(lag) ? { records: lag } : {}),
    ...(behindSeconds === undefined ? {} : { seconds: Math.round(behindSeconds) })
  }
}

/** The entries furthest behind, unknown before all, in the order of the spec; and how many are left out. */
export function worstTopics({ entries }: PipelineLag): {
  readonly topics: readonly TopicStatus[]
  readonly omitted: number
} {
  const far = ({ lag }: EntryLag) => lag ?? Infinity
  const order = entries.toSorted((a, b) => (far(a) === far(b) ? 0 : far(b) - far(a)))
  const chosen = new Set(order.slice(0, MAX_TOPICS))
  const shown = entries.filter(entry => chosen.has(entry))
  return { topics: shown.map(topicOf), omitted: entries.length - shown.length }
}

function topicOf(entry: EntryLag): TopicStatus {
  const { name, table, partitions, lag, behindSeconds, committed, lastCommit, deadLetters } = entry
  return {
    name,
    table,
    partitions,
    behind: shortSeconds(behindSeconds),
    ...(isCount(lag) ? { lag } : {}),
    ...(isCount(committed) ? { committed } : {}),
    ...(lastCommit === undefined ? {} : { lastCommitTime: timeText(lastCommit.atMs) }),
    ...(isCount(deadLetters) ? { deadLetters } : {})
  }
}

/** Offsets beyond this are nobody's, and the API server takes no number that is not one of 64 bits. */
const isCount = (value: number | undefined): value is number => Number.isSafeInteger(value)

/** The newest commit of any table. */
export function lastCommitOf({ entries }: PipelineLag): LastCommit | undefined {
  let newest: EntryLag | undefined
  for (const entry of entries) {
    if ((entry.lastCommit?.atMs ?? 0) > (newest?.lastCommit?.atMs ?? 0)) newest = entry
  }
  if (newest?.lastCommit === undefined) return undefined
  const { atMs, version } = newest.lastCommit
  return { time: timeText(atMs), table: newest.table, ...(version === '' ? {} : { version }) }
}
