import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createTopics } from '../../test/servers/kafka-topics.ts'
import { figuresOf, type Figures } from './figures.ts'
import { Fleet } from './fleet.ts'
import { steadyInput } from './input.ts'
import { instanceOf, roll, type Strategy } from './strategies.ts'

export interface RolloutOptions {
  readonly bootstrap: string
  readonly consumers: number
  readonly partitions: number
  readonly recordsPerSecond: number
  readonly triggerMs: number
  readonly podStartMs: number
  /** How long ingestion is watched before the roll, and after it. */
  readonly calmMs: number
}

const PATIENCE_MS = 60_000

/** One roll of real consumers under steady input, in a topic, a group and a table of its own. */
export async function measureRollout(strategy: Strategy, options: RolloutOptions): Promise<Figures> {
  const { bootstrap, consumers, partitions, triggerMs, podStartMs, calmMs } = options
  const topic = `rollout-${randomUUID()}`
  const folder = await mkdtemp(join(tmpdir(), 'bronze-rollout-'))
  await createTopics(bootstrap, [topic], partitions)
  const input = await steadyInput({ bootstrap, topic, partitions, recordsPerSecond: options.recordsPerSecond })
  const triggerInterval = `${triggerMs}ms`
  const fleet = await Fleet.open({ bootstrap, topic, folder, triggerInterval, podStartMs, stays: strategy.stays })
  try {
    const slots = Array.from({ length: consumers }, (_, slot) => slot)
    await Promise.all(slots.map(slot => fleet.start(slot, instanceOf(slot, 0, strategy))))
    await untilEven(fleet, partitions, Date.now())
    await wait(calmMs)
    const fromMs = Date.now()
    await roll(strategy, consumers, fleet)
    const readyMs = Date.now()
    await untilEven(fleet, partitions, readyMs)
    await wait(calmMs)
    const untilMs = Date.now()
    const [commits, fetched] = [await fleet.commits(), await fleet.fetched()]
    return figuresOf({ fromMs, readyMs, untilMs, commits, fetched, joined: fleet.joined, partitions })
  } finally {
    await input.stop()
    await fleet.stopAll()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Until each partition has had two commits since. */
async function untilEven(fleet: Fleet, partitions: number, sinceMs: number): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await wait(200)) {
    const counts = new Map<number, number>()
    for (const { atMs, partitions } of await fleet.commits())
      if (atMs >= sinceMs) for (const id of partitions) counts.set(id, (counts.get(id) ?? 0) + 1)
    if (counts.size === partitions && [...counts.values()].every(count => count >= 2)) return
  }
  throw new Error('ingestion did not become even')
}
