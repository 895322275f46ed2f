import type { BronzePipeline } from '../../crds/pipeline.ts'
import type { Clock } from '../../lib/clock.ts'
import { oneLine } from '../one-line.ts'
import { ifAllowed, type Cluster } from './cluster.ts'
import { podsOf } from './look.ts'
import { pipelineNamed } from './pipelines.ts'

const LOOK_EVERY_MS = 1000

export type Awaited = 'reached' | 'stuck' | 'late' | 'stopped'

export interface Waiting {
  readonly suspend: boolean
  /** What is waited for, if it is something else. */
  readonly judge?: (pipeline: BronzePipeline) => State
  readonly untilMs: number
  readonly clock: Clock
  /** Told what is waited for, whenever that changes. */
  readonly tell: (text: string) => void
  readonly signal: AbortSignal
}

/** Waits until a pipeline is drained, or ready. Throws KubeError, FatalError. */
export async function awaitState(cluster: Cluster, name: string, waiting: Waiting): Promise<Awaited> {
  const { suspend, judge = ready, untilMs, clock, tell, signal } = waiting
  let last = ''
  while (!signal.aborted) {
    const pipeline = await pipelineNamed(cluster, name)
    const pods = suspend ? await ifAllowed(podsOf(cluster, cluster.namespace, name)) : undefined
    const state = suspend ? drained(pipeline, pods?.length) : judge(pipeline)
    if (state.text !== last) tell(state.text)
    last = state.text
    if (state.outcome !== undefined) return state.outcome
    if (clock.now() >= untilMs) {
      tell('the time is over')
      return 'late'
    }
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
  return 'stopped'
}

export interface State {
  readonly outcome?: 'reached' | 'stuck'
  readonly text: string
}

/** `pods` undefined: we may not list them, and the operator's word has to do. */
export function drained(pipeline: BronzePipeline, pods: number | undefined): State {
  if (!pipeline.spec.suspend) return { outcome: 'stuck', text: 'somebody has taken spec.suspend back' }
  const { replicas } = pipeline.status ?? {}
  const left = pods ?? replicas
  if (!isSeen(pipeline)) return { text: 'waits for the operator' }
  if (readyOf(pipeline)?.reason === 'Suspended' && left === 0)
    return { outcome: 'reached', text: 'drained, no consumer is left' }
  return {
    text: left === undefined || left === 0 ? 'waits for the operator' : `${left} consumer${left === 1 ? '' : 's'} left`
  }
}

/** That it has read all it was to read. */
export function completed(pipeline: BronzePipeline): State {
  const condition = pipeline.status?.conditions?.find(({ type }) => type === 'Completed')
  if (isSeen(pipeline) && condition?.status === 'True') return { outcome: 'reached', text: 'completed' }
  const state = ready(pipeline)
  if (state.outcome === 'stuck') return state
  const { lag } = pipeline.status?.summary ?? {}
  return { text: state.outcome === undefined ? state.text : `reads, ${lag ?? '?'} records to go` }
}

export function ready(pipeline: BronzePipeline): State {
  if (pipeline.spec.suspend) return { outcome: 'stuck', text: 'somebody has suspended it again' }
  if (!isSeen(pipeline)) return { text: 'waits for the operator' }
  const condition = readyOf(pipeline)
  if (condition?.status === 'True') return { outcome: 'reached', text: 'ready' }
  const stalled = pipeline.status?.conditions?.find(({ type, status }) => type === 'Stalled' && status === 'True')
  if (stalled !== undefined) return { outcome: 'stuck', text: `${stalled.reason}: ${oneLine(stalled.message)}` }
  return {
    text: condition === undefined ? 'waits for the operator' : `${condition.reason}: ${oneLine(condition.message)}`
  }
}

const isSeen = ({ metadata: { generation = 0 }, status }: BronzePipeline) =>
  (status?.observedGeneration ?? -1) >= generation
const readyOf = ({ status }: BronzePipeline) => status?.conditions?.find(({ type }) => type === 'Ready')
