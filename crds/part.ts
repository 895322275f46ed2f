import type { SettledPipeline, SettledTopic } from './settled.ts'
import { topicPattern } from './topic-pattern.ts'

/** A pipeline with some of its entries, or why it cannot be run so. */
export type Part =
  | { readonly ok: true; readonly pipeline: SettledPipeline }
  | { readonly ok: false; readonly problem: string }

/**
 * The pipeline with the entries of these names alone, all of them when there are none. Which topics they read stays as it
 * is: a pattern must not take what belongs to an entry that is left out.
 */
export function partOf(pipeline: SettledPipeline, names: readonly string[]): Part {
  if (names.length === 0) return { ok: true, pipeline }
  const known = pipeline.topics.map(({ name }) => name)
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) {
    return { ok: false, problem: `there is no entry ${unknown} in spec.topics; there are ${known.join(', ')}` }
  }
  const isChosen = ({ name }: SettledTopic) => names.includes(name)
  for (const [index, entry] of pipeline.topics.entries()) {
    if (!isChosen(entry) || !('pattern' in entry.match)) continue
    const matches = topicPattern(entry.match.pattern)
    const other = pipeline.topics.find(
      (each, place) => !isChosen(each) && ('topic' in each.match ? matches(each.match.topic) : place < index)
    )
    if (other !== undefined) {
      return {
        ok: false,
        problem: `${other.name} may own topics that match the pattern of ${entry.name}: choose it too`
      }
    }
  }
  return { ok: true, pipeline: { ...pipeline, topics: pipeline.topics.filter(isChosen) } }
}
