import type { SettledPipeline, SettledTopic } from './settled.ts'
import { topicPattern } from './topic-pattern.ts'

/** The part of a pipeline that says what it reads. */
export interface TopicSelection {
  readonly topics: readonly Pick<SettledTopic, 'name' | 'match'>[]
  readonly deadLetters: SettledPipeline['deadLetters']
}

/** The entry a topic belongs to: one that names it, else the first whose pattern matches its whole name. */
export function entryOf<Entry extends Pick<SettledTopic, 'match'>>(
  { topics }: { readonly topics: readonly Entry[] },
  topic: string
): Entry | undefined {
  return (
    topics.find(({ match }) => 'topic' in match && match.topic === topic) ??
    topics.find(entry => 'pattern' in entry.match && matcherOf(entry, entry.match.pattern)(topic))
  )
}

/**
 * Which of these topics the pipeline reads, by entry name; every entry has its list, perhaps an empty one. A pattern never
 * takes one of Kafka's internal topics nor a dead-letter topic of the pipeline itself.
 */
export function topicsByEntry(
  pipeline: TopicSelection,
  names: Iterable<string>
): ReadonlyMap<string, readonly string[]> {
  const entries = new Map<string, string[]>(pipeline.topics.map(({ name }) => [name, []]))
  const ownDeadLetters = deadLetterTopics(pipeline)
  for (const name of names) {
    const entry = entryOf(pipeline, name)
    if (entry === undefined) continue
    if ('pattern' in entry.match && (name.startsWith('__') || ownDeadLetters?.test(name))) continue
    entries.get(entry.name)?.push(name)
  }
  return entries
}

const matchers = new WeakMap<object, (name: string) => boolean>()

function matcherOf(entry: object, pattern: string): (name: string) => boolean {
  const known = matchers.get(entry) ?? topicPattern(pattern)
  matchers.set(entry, known)
  return known
}

/** Matches what `deadLetterTopic()` may give. */
function deadLetterTopics({ deadLetters }: Pick<SettledPipeline, 'deadLetters'>): RegExp | undefined {
  if (deadLetters.policy !== 'Topic') return undefined
  const parts = deadLetters.topic.split('{topic}').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}
