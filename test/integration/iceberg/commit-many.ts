import { commit } from '../../conformance/commits.ts'
import { openLake } from './lake.ts'

const PARTITIONS = 24
const LOOK_EVERY = 100

export interface MetadataSize {
  readonly commits: number
  /** The largest metadata file that was seen, by looking after every hundredth commit. */
  readonly metadataBytes: number
  readonly snapshots: number
  readonly manifests: number
  readonly seconds: number
}

/**
 * Commits to a new table, one after the other, as a pipeline does whose 24 partitions move in every commit. Within an hour no
 * snapshot goes for its age: what bounds the metadata then bounds it always.
 */
export async function commitMany(commits: number): Promise<MetadataSize> {
  const closing: (() => unknown)[] = []
  const context = { after: (close: () => unknown) => void closing.push(close) }
  const started = performance.now()
  const lake = await openLake(context)
  const { sink } = lake.harness.process()
  await sink.open()
  let largest = 0
  const look = async () => {
    const seen = (await lake.foreign.tell('metadata', lake.table)) as Omit<MetadataSize, 'commits' | 'seconds'>
    largest = Math.max(largest, seen.metadataBytes)
    return { ...seen, metadataBytes: largest }
  }
  for (let index = 0; index < commits; index++) {
    const expected = index === 0 ? undefined : index
    const part = { from: index, to: index + 1, expected }
    const parts = Array.from({ length: PARTITIONS }, (_, partition) => ({ ...part, partition, empty: partition > 0 }))
    const { status } = await commit(sink, lake.harness, parts)
    if (status !== 'committed') throw new Error(`commit ${index} was ${status}`)
    if (index % LOOK_EVERY === LOOK_EVERY - 1) await look()
  }
  const last = await look()
  await sink.close()
  for (const close of closing) await close()
  return { commits, ...last, seconds: Math.round((performance.now() - started) / 1000) }
}
