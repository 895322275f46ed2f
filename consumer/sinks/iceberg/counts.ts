import type { StagedRange } from '../../sink.ts'

/** What commits of ours have put into a table from one topic, since the first that counted. */
export interface TopicCounts {
  /** Rows. */
  readonly records: number
  readonly deadLetters: number
  readonly commits: number
}

export const NO_COUNTS: TopicCounts = { records: 0, deadLetters: 0, commits: 0 }

/** The counts, by topic, after one more commit of these ranges. */
export function addCounts(
  before: ReadonlyMap<string, TopicCounts>,
  ranges: readonly StagedRange[]
): ReadonlyMap<string, TopicCounts> {
  const after = new Map(before)
  for (const [topic, own] of Map.groupBy(ranges, each => each.topic)) {
    const { records, deadLetters, commits } = before.get(topic) ?? NO_COUNTS
    after.set(topic, {
      records: own.reduce((sum, each) => sum + each.records, records),
      deadLetters: own.reduce((sum, each) => sum + each.deadLetters, deadLetters),
      commits: commits + 1
    })
  }
  return after
}

/** `orders=1200/3/40;clicks=88/0/12`: records, dead letters and commits of each topic. */
export const formatCounts = (counts: ReadonlyMap<string, TopicCounts>): string =>
  [...counts]
    .map(([topic, { records, deadLetters, commits }]) => `${topic}=${records}/${deadLetters}/${commits}`)
    .join(';')

const COUNTS = /^([\w.-]+)=(\d{1,16})\/(\d{1,16})\/(\d{1,16})$/

/** The reverse. Counts are for people: what cannot be read is left out, and stops nobody. */
export function parseCounts(text: string): ReadonlyMap<string, TopicCounts> {
  const counts = new Map<string, TopicCounts>()
  for (const each of text.split(';')) {
    const [, topic, ...digits] = COUNTS.exec(each) ?? []
    const [records = NaN, deadLetters = NaN, commits = NaN] = digits.map(Number)
    if (topic !== undefined && [records, deadLetters, commits].every(Number.isSafeInteger))
      counts.set(topic, { records, deadLetters, commits })
  }
  return counts
}
