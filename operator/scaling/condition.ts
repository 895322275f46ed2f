import { no, yes, type Verdict } from '../verdict.ts'
import type { Sizing } from './size.ts'

/** The condition `ScalingActive`: whether, and why, this many consumers are wanted. */
export function scalingActive({ sizing }: { readonly sizing: Sizing }): Verdict {
  switch (sizing.reason) {
    case 'Partitions':
      return yes('Partitions', 'as many consumers as the partitions ask for')
    case 'AtMaxReplicas':
      return yes('AtMaxReplicas', 'spec.scaling.maxReplicas allows no more consumers')
    case 'External':
      return yes('External', 'as many consumers as spec.scaling.replicas says')
    case 'Held':
      return no('Held', 'the number of partitions is not known: what runs is left as it is')
    case 'Suspended':
      return no('Suspended', 'suspended by spec.suspend')
  }
}
