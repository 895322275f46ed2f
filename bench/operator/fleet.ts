/** Names of the pipelines of a fleet and what they are: one topic each, read by as many consumers as it has partitions. */
export interface Fleet {
  readonly pipelines: number
  readonly bootstrap: string
}

export const TOPICS = 100
const NAMESPACES = 50

export const topicNames = Array.from({ length: TOPICS }, (_, index) => `topic-${index}`)
export const namespaceNames = Array.from({ length: NAMESPACES }, (_, index) => `fleet-${index}`)

export interface PipelineName {
  readonly namespace: string
  readonly name: string
}

export const nameOf = (index: number): PipelineName => ({
  namespace: namespaceNames[index % NAMESPACES] ?? '',
  name: `pipeline-${index}`
})

/** The manifest of one of them. Each writes a table of its own. */
export function manifest({ bootstrap }: Fleet, index: number) {
  return {
    apiVersion: 'bronze.dev/v1alpha1',
    kind: 'BronzePipeline',
    metadata: nameOf(index),
    spec: {
      source: { bootstrapServers: [bootstrap] },
      topics: [{ name: 'events', topic: topicNames[index % TOPICS], table: `bronze.events_${index}`, format: 'Json' }],
      batch: { triggerInterval: '10s' },
      sink: { delta: { location: 's3://lake/tables' } }
    }
  }
}
