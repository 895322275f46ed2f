import { decodeReport } from '../crds/report.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { randomId, type Clock } from '../lib/clock.ts'
import { RetryableError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { findEnds } from './find-ends.ts'
import type { Observer } from './observer.ts'
import type { TableColumns } from './columns/table-columns.ts'
import { partitionId, type Partition, type PartitionId } from './partition.ts'
import { patternMarker, patternMarkerId, place, recreatedError } from './placement.ts'
import type { Recovered, Sink } from './sink.ts'
import type { Slot } from './slot.ts'
import type { Source } from './source.ts'

export interface PlacementPorts {
  readonly sink: Sink
  readonly clock: Clock
  readonly log: Log
  readonly observer: Observer
  readonly source: Pick<Source, 'resolveStart' | 'resolveEnds' | 'logStarts' | 'reported'>
  readonly seek: (positions: ReadonlyMap<PartitionId, number>) => void
  /** Is told the columns of the table before anything is read on. */
  readonly columns: Pick<TableColumns, 'recovered'>
}

/** A beginning that the table must hold before the first fetch, else a crash under `Latest` loses what came meanwhile. */
interface Pin {
  readonly partition: Partition
  readonly epoch: number
  readonly nextOffset: number
}

/** How often a lost race for a pin is run again before backing off. */
const PIN_ATTEMPTS = 5

/**
 * Finds where each slot goes on, from the table's own truth, and gives the positions to seek. Beginnings are committed as
 * offsets without rows; whoever loses that race takes the winner's.
 */
export async function placeSlots(
  slots: readonly Slot[],
  ports: PlacementPorts,
  pipeline: SettledPipeline
): Promise<ReadonlyMap<PartitionId, number>> {
  await restoreReports(slots, ports)
  const topics = new Set(slots.flatMap(({ partition, entry }) => [partition.topic, patternMarker(entry.name).topic]))
  for (let attempt = 1; attempt <= PIN_ATTEMPTS; attempt++) {
    const recovered = await ports.sink.recover([...topics])
    ports.columns.recovered(recovered.columns)
    const pins = await findPins(slots, recovered, ports, pipeline)
    if (pins.length === 0) {
      await findEnds(slots, ports.source)
      return resume(slots, recovered)
    }
    const staged = await ports.sink.stage({
      commitId: randomId(ports.clock),
      takenAtMs: ports.clock.now(),
      parts: pins.map(pin => ({ ...pin, expectedOffset: undefined, rows: [], deadLetters: undefined }))
    })
    const outcome = await ports.sink.commit([staged])
    ports.log.info('beginnings pinned in the table', { pins: pins.length, outcome: outcome.status })
    // Won or lost, the table now says where to begin: read it there.
  }
  throw new RetryableError('PinContention', 'other consumers keep moving the beginnings of these partitions')
}

/** Places every slot the table knows. */
function resume(slots: readonly Slot[], { offsets }: Recovered): ReadonlyMap<PartitionId, number> {
  const positions = new Map<PartitionId, number>()
  for (const slot of slots) {
    const offset = offsets.get(slot.id)
    if (offset === undefined) continue
    const { epoch, nextOffset } = offset
    // Under an upgraded broker the id is new while the incarnation is not: the key begins empty at the same offset.
    const expectedOffset = offset.topicId === slot.partition.topicId ? nextOffset : undefined
    slot.reopen = undefined
    slot.place = { epoch, expectedOffset, nextOffset, buffer: undefined, isCommitting: false, blocked: undefined }
    positions.set(slot.id, nextOffset)
  }
  return positions
}

async function findPins(
  slots: readonly Slot[],
  recovered: Recovered,
  { source, observer, log, clock }: PlacementPorts,
  { source: { onDataLoss } }: SettledPipeline
): Promise<readonly Pin[]> {
  const pins = new Map<string, Pin>()
  const pin = (partition: Partition, epoch: number, nextOffset: number) =>
    pins.set(partitionId(partition), { partition, epoch, nextOffset })
  const startAll = async ({ partition, entry }: Slot, epoch: number, isNew: boolean) => {
    const starts = await source.resolveStart(partition.topic, isNew ? entry.startFrom : { position: 'Earliest' })
    for (const [number, offset] of starts) pin({ ...partition, partition: number }, epoch, offset)
  }
  for (const slot of slots) {
    const { partition, entry, id } = slot
    const isStarted = 'pattern' in entry.match && recovered.offsets.has(patternMarkerId(entry.name))
    const placement = place(partition, recovered, isStarted)
    if (placement.kind === 'resume') {
      const { reopen } = slot
      if (reopen !== undefined && placement.offset.epoch <= reopen.afterEpoch) {
        pin(partition, reopen.afterEpoch + 1, reopen.resumeOffset)
      }
    } else if (placement.kind === 'later') {
      const starts = await source.logStarts([partition])
      pin(partition, placement.epoch, starts.get(id) ?? 0)
    } else if (placement.kind === 'start') {
      if (!pins.has(id)) await startAll(slot, 0, true)
      if ('pattern' in entry.match) pin(patternMarker(entry.name), 0, 0)
    } else {
      if (onDataLoss === 'Fail') throw recreatedError(partition, placement.known)
      log.warn('the topic was created anew; going on in the next epoch', {
        topic: partition.topic,
        epoch: placement.epoch
      })
      observer.dataLoss(partition.topic, 'Recreated')
      slot.dataLoss = { kind: 'Recreated', atMs: clock.now() }
      if (!pins.has(id)) await startAll(slot, placement.epoch, false)
    }
  }
  return [...pins.values()]
}

/** Counts that only the group remembers; best effort, they are for people. */
async function restoreReports(slots: readonly Slot[], { source, log }: PlacementPorts): Promise<void> {
  const fresh = slots.filter(({ isReported }) => !isReported)
  if (fresh.length === 0) return
  try {
    const reported = await source.reported(fresh.map(({ partition }) => partition))
    for (const slot of fresh) {
      slot.isReported = true
      const report = decodeReport(reported.get(slot.id)?.metadata ?? '')
      if (report === undefined) continue
      slot.deadLetters = report.deadLetters
      slot.recordTimestampMs = report.recordTimestampMs
      slot.dataLoss = report.dataLoss
    }
  } catch (error) {
    log.warn('the group could not say what was reported before', {}, error)
  }
}
