import { mix } from './random.ts'

/** What is produced. All of it follows from the number of records and the seed, so that nobody has to keep a list. */
export interface Workload {
  readonly records: number
  readonly seed: number
}

export interface TopicPlan {
  readonly topic: string
  readonly table: string
  readonly partitions: number
}

/** Eight topics with 24 partitions in all. */
export const TOPICS: readonly TopicPlan[] = [6, 5, 4, 3, 2, 2, 1, 1].map((partitions, index) => ({
  topic: `chaos.t${index}`,
  table: `bronze.t${index}`,
  partitions
}))

/** One partition and how many records it receives, from offset 0. */
export interface PartitionPlan {
  readonly topic: string
  readonly partition: number
  /** Counts the partitions of all topics. */
  readonly index: number
  readonly records: number
}

export function partitionPlans({ records }: Workload): PartitionPlan[] {
  const all = TOPICS.flatMap(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  )
  const [share, rest] = [Math.floor(records / all.length), records % all.length]
  return all.map((each, index) => ({ ...each, index, records: share + (index < rest ? 1 : 0) }))
}

export type Flaw = 'cut off' | 'not UTF-8' | 'without its id'

const FLAWS: readonly Flaw[] = ['cut off', 'not UTF-8', 'without its id']
const FLAWED_SHARE = 0.002

/** What is wrong with a record, if anything: such records belong into the dead letters. */
export function flawOf(seed: number, { index }: PartitionPlan, offset: number): Flaw | undefined {
  const chance = mix(seed, index, offset)
  return chance < FLAWED_SHARE ? FLAWS[Math.floor((chance / FLAWED_SHARE) * FLAWS.length)] : undefined
}

/** A record's value: JSON whose `id` names its own coordinates, about 200 bytes. */
export function valueOf(seed: number, plan: PartitionPlan, offset: number): Buffer {
  const id = `${plan.topic}-${plan.partition}-${offset}`
  const body = `"amount":${(mix(seed, offset, 7) * 1000).toFixed(2)},"text":"${text(seed, plan.index, offset)}"}`
  switch (flawOf(seed, plan, offset)) {
    case undefined:
      return Buffer.from(`{"id":"${id}",${body}`)
    case 'cut off':
      return Buffer.from(`{"id":"${id}",${body}`.slice(0, -2))
    case 'not UTF-8':
      return Buffer.concat([Buffer.from(`{"id":"${id}","odd":"`), Buffer.from([0xc3, 0x28]), Buffer.from(`",${body}`)])
    case 'without its id':
      return Buffer.from(`{${body}`)
  }
}

function text(seed: number, index: number, offset: number): string {
  let words = ''
  for (let word = 0; words.length < 120; word++)
    words += `${(mix(seed, index, offset, word) * 0x1_0000_0000).toString(36)} `
  return words
}
