import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/** Kafka's `offset.metadata.max.bytes`. */
export const MAX_METADATA_BYTES = 4096

type Line = readonly [group: string, topic: string, partition: number, committed: CommittedOffset | null]

/** The committed offsets of all groups; with a folder, one JSON line per commit, rewritten at each start. */
export class Offsets {
  #groups = new Map<string, Map<string, Map<number, CommittedOffset>>>()
  #file: string | undefined

  constructor(folder: string | undefined) {
    if (folder === undefined) return
    mkdirSync(folder, { recursive: true })
    this.#file = join(folder, 'offsets.jsonl')
    if (existsSync(this.#file)) for (const line of wholeLines(readFileSync(this.#file, 'utf8'))) this.#apply(line)
    writeFileSync(this.#file, [...this.#lines()].map(line => `${JSON.stringify(line)}\n`).join(''))
  }

  groupIds(): Iterable<string> {
    return this.#groups.keys()
  }

  commit(group: string, topic: string, partition: number, committed: CommittedOffset): void {
    this.#write([group, topic, partition, committed])
  }

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  /** What a group holds, by topic and partition. */
  all(group: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.#groups.get(group) ?? new Map()
  }

  deleteGroup(group: string): void {
    for (const [topic, partitions] of this.all(group))
      for (const partition of partitions.keys()) this.#write([group, topic, partition, null])
    this.#groups.delete(group)
  }

  /** A deleted topic takes its offsets along, as in Kafka. */
  deleteTopic(topic: string): void {
    for (const [group, topics] of this.#groups)
      for (const partition of topics.get(topic)?.keys() ?? []) this.#write([group, topic, partition, null])
  }

  #write(line: Line): void {
    this.#apply(line)
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(line)}\n`)
  }

  #apply([group, topic, partition, committed]: Line): void {
    const topics = this.#groups.get(group) ?? new Map<string, Map<number, CommittedOffset>>()
    const partitions = topics.get(topic) ?? new Map<number, CommittedOffset>()
    if (committed === null) partitions.delete(partition)
    else partitions.set(partition, committed)
    if (partitions.size > 0) topics.set(topic, partitions)
    else topics.delete(topic)
    this.#groups.set(group, topics)
  }

  *#lines(): Generator<Line> {
    for (const [group, topics] of this.#groups)
      for (const [topic, partitions] of topics)
        for (const [partition, committed] of partitions) yield [group, topic, partition, committed]
  }
}

/** The lines of a file; what follows the last line end was torn off. */
function wholeLines(text: string): Line[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line)
}
