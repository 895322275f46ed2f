import { type SettledPipeline, type SettledTopic } from '../crds/settled.ts'

/** The entry a topic belongs to: one that names it, else the first whose pattern matches its whole name. */
export function entryOf({ topics }: Pick<SettledPipeline, 'topics'>, topic: string): SettledTopic | undefined {
  return (
    topics.find(({ match }) => 'topic' in match && match.topic === topic) ??
    topics.find(({ match }) => 'pattern' in match && new RegExp(`^(?:${match.pattern})$`, 'u').test(topic))
  )
}
