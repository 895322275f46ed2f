import { clipped } from '../../lib/clipped.ts'
import { EXIT_CONFIGURATION } from '../../lib/errors.ts'
import type { KubeObject } from '../kube/kube.ts'
import { wordOr } from '../status/verdict.ts'

export interface Deployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
      readonly spec?: {
        readonly containers?: readonly { readonly name: string; readonly image?: string }[]
        readonly volumes?: readonly MountedVolume[]
      }
    }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
  }
}

interface MountedVolume {
  readonly name: string
  readonly configMap?: { readonly name?: string }
}

export interface Pod extends KubeObject {
  readonly spec?: { readonly volumes?: readonly MountedVolume[] }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly PodCondition[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

interface PodCondition {
  readonly type: string
  readonly status: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string }
}

/** What is wrong with the consumers. */
export interface WorkloadTrouble {
  readonly reason: string
  readonly message: string
  /** Only a person can end it: the consumer said so. */
  readonly isFatal: boolean
}

export interface Workload {
  readonly exists: boolean
  /** Consumers that the Deployment asks for. */
  readonly wanted: number
  readonly ready: number
  /** Pods that are there, of whatever age. */
  readonly running: number
  /** Pods of the newest kind. */
  readonly updated: number
  /** Whether the Deployment's controller has looked at its newest form. */
  readonly isSeen: boolean
  /** Whether all of them are of the newest kind and no old ones are left. */
  readonly isRolledOut: boolean
  readonly trouble: WorkloadTrouble | undefined
}

const CONTAINER = 'consumer'
const OUT_OF_MEMORY = 137
/** An init system's word for a process ended by SIGTERM, and our own clean end: no trouble. */
const CALM_EXITS = new Set([0, 143])

/** How the consumers are, from their Deployment and pods. */
export function workloadOf(deployment: Deployment | undefined, pods: readonly Pod[]): Workload {
  if (deployment === undefined) {
    return {
      exists: false,
      wanted: 0,
      ready: 0,
      running: 0,
      updated: 0,
      isSeen: false,
      isRolledOut: false,
      trouble: undefined
    }
  }
  const { status = {}, spec = {}, metadata } = deployment
  const wanted = spec.replicas ?? 1
  const running = status.replicas ?? 0
  const isSeen = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  const live = pods.filter(pod => pod.metadata.deletionTimestamp === undefined)
  return {
    exists: true,
    wanted,
    ready: Math.min(wanted, status.readyReplicas ?? 0),
    running,
    updated: status.updatedReplicas ?? 0,
    isSeen,
    isRolledOut: isSeen && running === wanted && (status.updatedReplicas ?? 0) === wanted,
    trouble: gravest(live.map(troubleOf).filter(trouble => trouble !== undefined))
  }
}

/** Of clocks that differ by more than this nothing is believed. */
const MAX_SKEW_MS = 60_000

/** Since when the last of all pods is ready; 0 when that is not told. */
export function readySinceMs(pods: readonly Pod[], nowMs: number): number {
  const times = pods.map(({ status }) => {
    const ready = status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')
    const ms = Date.parse(ready?.lastTransitionTime ?? '')
    return ms <= nowMs + MAX_SKEW_MS ? ms : 0
  })
  return Math.max(0, ...times)
}

function gravest(troubles: readonly WorkloadTrouble[]): WorkloadTrouble | undefined {
  return troubles.find(({ isFatal }) => isFatal) ?? troubles[0]
}

function troubleOf({ status = {} }: Pod): WorkloadTrouble | undefined {
  const container = status.containerStatuses?.find(({ name }) => name === CONTAINER)
  if (container?.ready === true) return undefined
  const { waiting } = container?.state ?? {}
  const ended = container?.state?.terminated ?? container?.lastState?.terminated
  if (ended !== undefined && !CALM_EXITS.has(ended.exitCode)) return endOf(ended)
  if (waiting?.reason !== undefined && !['ContainerCreating', 'PodInitializing'].includes(waiting.reason)) {
    return { reason: word(waiting.reason), message: clip(waiting.message ?? waiting.reason), isFatal: false }
  }
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status !== 'False') return undefined
  return { reason: 'Unschedulable', message: clip(scheduled.message ?? 'no node takes the pod'), isFatal: false }
}

function endOf({ exitCode, reason, message = '' }: NonNullable<ContainerState['terminated']>): WorkloadTrouble {
  if (reason === 'OOMKilled' || (exitCode === OUT_OF_MEMORY && message === '')) {
    const remedy = 'raise spec.consumer.resources.limits.memory'
    return {
      reason: 'OutOfMemory',
      message: `a consumer was ended for using too much memory: ${remedy}`,
      isFatal: false
    }
  }
  const said = terminationMessage(message)
  return {
    reason: word(said.reason ?? 'ConsumerFailed'),
    message: clip(said.message || `a consumer ended with exit code ${exitCode}; its log says more`),
    isFatal: exitCode === EXIT_CONFIGURATION
  }
}

/** The JSON that consumers leave, `{reason, message}`; any other text is the message. */
function terminationMessage(text: string): { readonly reason?: string; readonly message: string } {
  try {
    const { reason, message } = JSON.parse(text) as { reason?: unknown; message?: unknown }
    if (typeof message === 'string') return { message, ...(typeof reason === 'string' ? { reason } : {}) }
  } catch {
    // Not ours: perhaps the end of a log.
  }
  return { message: text.trim() }
}

const word = (reason: string) => wordOr('ConsumerFailed', reason)

const MAX_MESSAGE = 1000
const clip = (text: string) => clipped(text, MAX_MESSAGE)
