import type { SettledPipeline } from '../crds/settled.ts'
import type { RevisionStatus } from '../crds/pipeline.ts'
import type { Problem } from '../crds/problem.ts'
import type { Taken } from './claims/claim-index.ts'
import type { GroupView } from './source/group-view.ts'
import type { PipelineLag } from './source/lag.ts'
import type { Rates } from './scaling/rates.ts'
import type { Sizing } from './scaling/size.ts'
import type { MissingSecret } from './objects/secret-names.ts'
import type { Workload } from './objects/workload.ts'

/** What the sampler last saw of the source. */
export interface SourceView {
  /** The newest figures; those of an earlier moment while the source is in trouble. */
  readonly lag: PipelineLag | undefined
  /** What the group's coordinator said at the last look; undefined when it was not asked or gave no answer. */
  readonly group?: GroupView | undefined
  /** What the last looks tell together, for pipelines of mode Lag. */
  readonly rates?: Rates | undefined
  readonly trouble: { readonly reason: string; readonly message: string } | undefined
}

/** Everything that the conditions of a pipeline are judged by. */
export interface Facts {
  readonly generation: number
  /** Undefined when the spec is not accepted. */
  readonly settled: SettledPipeline | undefined
  readonly problems: readonly Problem[]
  /** Secrets that are named and not there, and what names them. */
  readonly missingSecrets: readonly MissingSecret[]
  /** An object that has a name we need and is not ours. */
  readonly conflict: string | undefined
  /** What an older pipeline has, for which reason this one may not run. */
  readonly claim?: Taken | undefined
  readonly source: SourceView
  readonly sizing: Sizing
  /** Whether all that was to be read is in the tables; undefined for a pipeline that does not end. */
  readonly isCompleted?: boolean | undefined
  readonly workload: Workload
  /** Pods that are still there, those that are being stopped too. */
  readonly pods: number
  /** What consumers are made from once this turn is done. */
  readonly revision: RevisionStatus | undefined
  /** In mode Plan, how many changes are not made. */
  readonly planned: number | undefined
  /** What the API server said when it refused to apply an object. */
  readonly refusal: string | undefined
  /** Objects are being made or changed in this very turn. */
  readonly isChanging: boolean
}
