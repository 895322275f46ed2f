import { isDeepStrictEqual } from 'node:util'
import type { BronzePipelineStatus, Condition, PlanStatus, RevisionStatus, ScalingStatus } from '../../crds/pipeline.ts'
import { twoDigits } from '../../lib/figures.ts'
import type { Facts } from '../facts.ts'
import { selectorLabels, selectorText } from '../objects/names.ts'
import { partitionsOf } from '../source/partitions.ts'
import { currentLag, lagOf, lastCommitOf, summaryOf, worstTopics } from './summary.ts'

/** A figure that moved does not write sooner than this after the last write. */
const FIGURES_INTERVAL_MS = 30_000
/** Exact figures whose rounded ones stay (offsets of a pipeline that keeps up) are brought up to date this often. */
const EXACT_INTERVAL_MS = 600_000

/** What a pipeline's status should say. What is not known of the source is left out. */
export function statusOf(
  facts: Facts,
  pipeline: {
    readonly name: string
    readonly image: string | undefined
    readonly defaultImage?: string | undefined
    readonly scaling?: ScalingStatus | undefined
    readonly revision?: RevisionStatus | undefined
    readonly plan?: PlanStatus | undefined
    readonly status: BronzePipelineStatus
  },
  conditions: readonly Condition[]
): BronzePipelineStatus {
  const { name, image, defaultImage, scaling, revision, plan, status } = pipeline
  const lag = currentLag(facts)
  const partitions = partitionsOf(facts.source.lag, status.partitions)
  const groupId = facts.settled?.source.groupId ?? status.groupId
  const figures = lag && lagOf(lag)
  const worst = lag === undefined ? undefined : worstTopics(lag)
  const lastCommit = lag === undefined ? status.lastCommit : (lastCommitOf(lag) ?? status.lastCommit)
  return {
    observedGeneration: facts.generation,
    conditions,
    summary: summaryOf(facts),
    replicas: facts.workload.running,
    selector: selectorText(selectorLabels(name)),
    ...(groupId === undefined ? {} : { groupId }),
    ...(image === undefined ? {} : { image }),
    ...(defaultImage === undefined ? {} : { defaultImage }),
    ...(partitions === undefined ? {} : { partitions }),
    ...(scaling === undefined ? {} : { scaling }),
    ...(revision === undefined ? {} : { revision }),
    ...(plan === undefined ? {} : { plan }),
    ...(figures === undefined ? {} : { lag: figures }),
    ...(worst === undefined ? {} : { topics: worst.topics }),
    ...(worst === undefined || worst.omitted === 0 ? {} : { topicsOmitted: worst.omitted }),
    ...(lastCommit === undefined ? {} : { lastCommit })
  }
}

/**
 * When to write `next` over `before`, in ms from now; undefined: never, they tell the same. At once when a condition or the
 * workload changed, when a rounded figure did at most every 30 seconds, and for exact figures alone every 10 minutes.
 */
export function writeAfterMs(
  before: BronzePipelineStatus,
  next: BronzePipelineStatus,
  writtenMs: number | undefined,
  nowMs: number,
  figuresIntervalMs = FIGURES_INTERVAL_MS
): number | undefined {
  if (!isDeepStrictEqual(urgent(before), urgent(next))) return 0
  // A time that lies ahead was taken from a clock that has been set back.
  const sinceMs = writtenMs === undefined || writtenMs > nowMs ? Infinity : nowMs - writtenMs
  if (!isDeepStrictEqual(rounded(before), rounded(next))) return Math.max(0, figuresIntervalMs - sinceMs)
  if (isDeepStrictEqual(plain(before), plain(next))) return undefined
  return Math.max(0, EXACT_INTERVAL_MS - sinceMs)
}

function urgent({ conditions = [], summary, scaling, ...status }: BronzePipelineStatus): object {
  const { observedGeneration, replicas, selector, groupId, image, partitions, revision, plan } = status
  const states = conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message }))
  const { topics, sink, pods } = summary ?? {}
  const turns = { ...scaling, recordsPerSecond: undefined, measuredTime: undefined }
  return plain({
    observedGeneration,
    replicas,
    selector,
    groupId,
    image,
    partitions,
    revision,
    plan,
    turns,
    states,
    topics,
    sink,
    pods
  })
}

function rounded({ summary, scaling, lag = {}, topics = [] }: BronzePipelineStatus): object {
  return plain({
    summary: { ...summary, behind: undefined },
    records: twoDigits(lag.records),
    seconds: twoDigits(lag.seconds),
    recordsPerSecond: scaling?.recordsPerSecond,
    topics: topics.map(({ name, lag, deadLetters, partitions }) => ({
      name,
      lag: twoDigits(lag),
      deadLetters,
      partitions
    }))
  })
}

/** As it is after a round trip: without fields that are undefined. */
const plain = (value: object): object => JSON.parse(JSON.stringify(value)) as object
