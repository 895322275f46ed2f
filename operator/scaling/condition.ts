import { no, yes, type Verdict } from '../status/verdict.ts'
import type { ScalingReason } from './reason.ts'
import type { Sizing } from './size.ts'

/** Whether consumers are scaled now, or held as they are, and what is to be said of it. */
const MEANING: Readonly<Record<ScalingReason, readonly [isActive: boolean, message: string]>> = {
  Partitions: [true, 'as many consumers as the partitions ask for'],
  External: [true, 'as many consumers as spec.scaling.replicas says'],
  Sized: [true, 'as many consumers as what arrives needs'],
  CatchingUp: [true, 'as many consumers as are needed to write what waits within spec.scaling.catchUpTime'],
  Stabilizing: [true, 'fewer consumers would do; they are taken away when that has been so for long enough'],
  Idle: [true, 'nothing comes and nothing waits: no consumer runs until something does'],
  AtMaxReplicas: [true, 'spec.scaling.maxReplicas allows no more consumers'],
  AtPartitionCap: [true, 'there is a consumer for every partition: only more partitions would help'],
  Skewed: [
    true,
    'partition {about} brings more than one consumer writes: more consumers would not help, other keys would'
  ],
  Held: [false, 'the number of partitions is not known: what runs is left as it is'],
  NoPartitions: [false, 'there is no partition to read: what runs is left as it is'],
  Completed: [false, 'all that was to be read is in the tables: no consumer is needed any more'],
  Suspended: [false, 'suspended by spec.suspend'],
  Measuring: [false, 'held until consumers have been seen at work for a while since the last change'],
  RollingOut: [false, 'held while consumers are started or changed'],
  Rebalancing: [false, 'held while the group deals out its partitions'],
  LagUnknown: [false, 'held while it is not known how much waits: see LagKnown'],
  SinkBound: [false, 'held: two increases brought nothing, so the sink is the limit; tried again after an hour'],
  SinkFailing: [false, 'held while a table cannot be written: see SinkReachable'],
  NoProgress: [false, 'held: records wait and none is written; more consumers would not help']
}

/** The condition `ScalingActive`: whether, and why, this many consumers are wanted. */
export function scalingActive({ sizing }: { readonly sizing: Sizing }): Verdict {
  const [isActive, message] = MEANING[sizing.reason]
  const told = message.replace('{about}', () => sizing.about ?? '')
  return isActive ? yes(sizing.reason, told) : no(sizing.reason, told)
}
