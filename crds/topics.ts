import { deadLetterTopic } from './settle.ts'
import { type SettledPipeline, type SettledTopic } from './settled.ts'

/** The entry a topic belongs to: one that names it, else the first whose pattern matches its whole name. */
export function entryOf({ topics }: Pick<SettledPipeline, 'topics'>, topic: string): SettledTopic | undefined {
  return (
    topics.find(({ match }) => 'topic' in match && match.topic === topic) ??
    topics.find(({ match }) => 'pattern' in match && new RegExp(`^(?:${match.pattern})$`, 'u').test(topic))
  )
}

/**
 * Which of these topics the pipeline reads, by entry name; every entry has its list, perhaps an empty one. A pattern never
 * takes one of Kafka's internal topics (the caller leaves them out) nor the pipeline's own dead-letter topics.
 */
export function topicsByEntry(
  pipeline: SettledPipeline,
  names: Iterable<string>
): ReadonlyMap<string, readonly string[]> {
  const all = [...names]
  const entries = new Map<string, string[]>(pipeline.topics.map(({ name }) => [name, []]))
  const ownDeadLetters = new Set(
    pipeline.deadLetters.policy === 'Topic'
      ? all.filter(name => entryOf(pipeline, name) !== undefined).map(name => deadLetterTopic(pipeline, name))
      : []
  )
  for (const name of all) {
    const entry = entryOf(pipeline, name)
    if (entry === undefined || ('pattern' in entry.match && ownDeadLetters.has(name))) continue
    entries.get(entry.name)?.push(name)
  }
  return entries
}
