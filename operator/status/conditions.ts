import type { Condition, RolledBack } from '../../crds/pipeline.ts'
import { clipped } from '../../lib/clipped.ts'
import type { Facts } from '../facts.ts'
import { timeText } from '../kube/times.ts'
import { scalingActive } from '../scaling/condition.ts'
import { idleDelayMs, longestTriggerMs } from '../scaling/waits.ts'
import { no, unknown, wordOr, yes, type Verdict } from './verdict.ts'

type Judge = (facts: Facts) => Verdict | undefined

/** In the order in which they are shown; a judge that says nothing leaves its condition out. */
const JUDGES: Readonly<Record<string, Judge>> = {
  // Ready is the first four together; lag never affects it.
  Ready: ready,
  SpecAccepted: specAccepted,
  SourceReachable: sourceReachable,
  SinkReachable: sinkReachable,
  WorkloadAvailable: workloadAvailable,
  LagKnown: lagKnown,
  CaughtUp: caughtUp,
  Completed: completed,
  ScalingActive: facts => (facts.claim === undefined ? scalingActive(facts) : claimed(facts.claim)),
  DataLoss: dataLoss,
  ForeignMembers: foreignMembers,
  // For tools that follow kstatus.
  Reconciling: reconciling,
  Stalled: stalled
}

/** As the definition has it: with a longer one the API server would refuse the whole status, again and again. */
const MAX_MESSAGE = 4096

/** The conditions of a pipeline; a date stays as it was while the status does. */
export function conditionsOf(facts: Facts, before: readonly Condition[], nowMs: number): readonly Condition[] {
  const now = timeText(nowMs)
  return Object.entries(JUDGES).flatMap(([type, judge]): Condition[] => {
    const verdict = judge(facts)
    if (verdict === undefined) return []
    const old = before.find(condition => condition.type === type)
    const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : now
    const message = clipped(verdict.message, MAX_MESSAGE)
    return [{ type, ...verdict, message, observedGeneration: facts.generation, lastTransitionTime }]
  })
}

function ready(facts: Facts): Verdict {
  const parts = [specAccepted, sourceReachable, sinkReachable, workloadAvailable].map(judge => judge(facts))
  const accepted = parts[0]
  if (accepted?.status === 'True' && facts.claim !== undefined && facts.conflict === undefined)
    return claimed(facts.claim)
  if (accepted?.status === 'True' && facts.planned !== undefined && !facts.workload.exists) return PLANNED
  if (accepted?.status === 'True' && facts.settled?.suspend === true) return suspended(facts)
  if (accepted?.status === 'True' && facts.isCompleted === true) return COMPLETED
  const failed = parts.find(part => part?.status === 'False') ?? parts.find(part => part?.status === 'Unknown')
  return failed ?? yes('Ready', 'records are read and written')
}

const COMPLETED = yes('Completed', 'all that was to be read is in the tables')

function completed({ isCompleted }: Facts): Verdict | undefined {
  if (isCompleted === undefined) return undefined
  return isCompleted ? COMPLETED : no('Reading', 'the tables do not hold all that is to be read yet')
}

function specAccepted({ problems }: Facts): Verdict {
  if (problems.length === 0) return yes('Accepted', 'the spec is valid')
  const [first] = problems
  const rest = problems.length === 1 ? '' : `; and ${problems.length - 1} more`
  return no('InvalidSpec', `${first?.path}: ${first?.message}${rest}. What runs is left as it is.`)
}

function sourceReachable({ missingSecrets, source: { trouble, lag } }: Facts): Verdict {
  const secret = missingSecrets.find(({ by }) => by === 'source')
  if (secret !== undefined) return no('SecretMissing', `Secret ${secret.name}, named in spec.source, does not exist`)
  if (trouble !== undefined) return no(trouble.reason, trouble.message)
  if (lag === undefined) return unknown('NotLookedYet', 'the brokers have not been asked yet')
  const missing = missingTopics(lag)
  if (missing.length > 0) return no('TopicMissing', `topics that do not exist: ${firstOf(missing)}`)
  return yes('Reachable', 'the brokers answer and all topics are there')
}

function sinkReachable({ missingSecrets, source: { lag } }: Facts): Verdict {
  const secret = missingSecrets.find(({ by }) => by === 'sink')
  if (secret !== undefined) return no('SecretMissing', `Secret ${secret.name}, named in spec.sink, does not exist`)
  const failed = lag?.entries.find(({ sinkError }) => sinkError !== undefined)
  if (failed?.sinkError !== undefined) {
    return no(
      word(failed.sinkError),
      `table ${failed.table} cannot be written: ${failed.sinkError}; consumers try again`
    )
  }
  if (lag === undefined || lag.reportedPartitions === 0) {
    return unknown('NothingReported', 'no consumer has reported on a table yet')
  }
  return yes('Reachable', 'the last commits went well')
}

function workloadAvailable(facts: Facts): Verdict {
  const { settled, claim, conflict, refusal, sizing, workload, revision, planned } = facts
  if (conflict !== undefined) return no('NameConflict', conflict)
  if (claim !== undefined) return claimed(claim)
  if (refusal !== undefined) return no('ApplyFailed', refusal)
  if (revision?.rolledBack !== undefined) return no('RevisionRolledBack', rolledBack(revision.rolledBack))
  if (workload.trouble !== undefined) return no(workload.trouble.reason, workload.trouble.message)
  if (planned !== undefined && !workload.exists) return PLANNED
  if (settled?.suspend === true) return suspended(facts)
  if (!workload.exists) {
    return sizing.reason === 'Held'
      ? no('Held', 'consumers are started when the number of partitions is known')
      : no('Progressing', 'consumers are being started')
  }
  const { ready, wanted } = workload
  if (wanted === 0) return yes('NoneWanted', 'no consumer is wanted now')
  if (ready < wanted) return no('Progressing', 'not all consumers are ready')
  return yes('AllReady', 'all consumers are ready')
}

const PLANNED = no('Planned', 'spec.mode is Plan: nothing is done; status.plan tells what would be')

/** Suspended is who reads no more: the last commit is made, and no partition is held. */
function suspended(facts: Facts): Verdict {
  return isDrained(facts)
    ? no('Suspended', 'suspended by spec.suspend; nothing is lost, reading goes on from there later')
    : no('Suspending', 'consumers write what they hold and leave')
}

/** Members that are not ours are not asked to leave. A group that did not answer has nothing to say. */
function isDrained({ workload, pods, source: { group } }: Facts): boolean {
  const members = group === undefined ? 0 : group.members - group.foreignMembers
  return workload.wanted === 0 && workload.running === 0 && pods === 0 && members === 0
}

function rolledBack({ name, reason, message }: RolledBack): string {
  return (
    `consumers of the spec as it is (${name}) did not become ready: ${reason}: ${message}. Those of the last healthy ` +
    'revision run. Change the spec, or suspend and resume the pipeline to try it again'
  )
}

function lagKnown({ source: { lag, trouble } }: Facts): Verdict {
  if (trouble !== undefined) return no(trouble.reason, trouble.message)
  if (lag === undefined) return no('NotLookedYet', 'the brokers have not been asked yet')
  if (lag.lag !== undefined) return yes('Known', 'the lag of every partition is known')
  if (missingTopics(lag).length > 0 && lag.unknownPartitions === 0) {
    return no('TopicMissing', 'topics that do not exist have no lag')
  }
  return no('NothingCommitted', 'partitions have no offset in the consumer group, or one that their log does not reach')
}

const MIN_SLACK_SECONDS = 60

function caughtUp({ settled, source: { lag, trouble } }: Facts): Verdict {
  if (settled === undefined || trouble !== undefined || lag?.lag === undefined) {
    return unknown('LagUnknown', 'the lag is not known')
  }
  const slackSeconds = Math.max(MIN_SLACK_SECONDS, (2 * longestTriggerMs(settled) + idleDelayMs(settled)) / 1000)
  const isClose = lag.lag === 0 || (lag.behindSeconds !== undefined && lag.behindSeconds <= slackSeconds)
  return isClose
    ? yes('CaughtUp', `what is not in a table came within the last ${slackSeconds} s`)
    : no('Behind', `records that came more than ${slackSeconds} s ago are not in a table yet`)
}

/** They are no trouble of ours, and yet what they read is missing in our tables. */
function foreignMembers({ settled, source: { group } }: Facts): Verdict | undefined {
  if (settled === undefined || group === undefined || group.foreignMembers === 0) return undefined
  const { foreign = [] } = group
  const named = foreign.map(({ clientId, host }) => `${clientId} at ${host}`).join(', ')
  const more = group.foreignMembers - foreign.length
  const who = more > 0 ? `${named} and ${more} more` : named
  return yes(
    'ForeignMember',
    `${who}: in the group ${settled.source.groupId} beside the consumers, whose partitions it takes away and whose records ` +
      `are not written meanwhile. Give that program another group`
  )
}

/** Only one pipeline may have a group or a table. */
function claimed({ holder, what, name }: NonNullable<Facts['claim']>): Verdict {
  const field = what === 'group' ? 'spec.source.groupId' : 'spec.topics[].table'
  return no(
    'ClaimedByOther',
    `the ${what} ${name} belongs to the older pipeline ${holder}: no consumer runs. Give another ${field}, or delete that pipeline`
  )
}

function dataLoss({ source: { lag } }: Facts): Verdict | undefined {
  const losses = (lag?.entries ?? []).flatMap(({ dataLoss }) => (dataLoss === undefined ? [] : [dataLoss]))
  const newest = losses.toSorted((a, b) => b.atMs - a.atMs)[0]
  if (newest === undefined) return undefined
  const when = new Date(newest.atMs).toISOString()
  const told = `the source lost records of ${newest.topic} before they were read (seen ${when})`
  return yes(word(newest.kind), `${told}; reading went on, as spec.source.onDataLoss asks`)
}

function reconciling(facts: Facts): Verdict {
  const { problems, claim, conflict, settled, workload, isChanging, sizing, planned } = facts
  const isTaken = claim !== undefined && !isChanging
  if (problems.length > 0 || isTaken || conflict !== undefined || isFatal(facts)) {
    return no('Stalled', 'waiting for somebody: see Stalled')
  }
  if (planned !== undefined) return no('Planned', `changes that spec.mode: Apply would make: ${planned}`)
  if (settled?.suspend === true && !isDrained(facts))
    return yes('Suspending', 'consumers write what they hold and leave')
  if (sizing.reason === 'Held' && !workload.exists) return yes('Held', 'waiting for the number of partitions')
  if (isChanging || !workload.exists || !workload.isRolledOut) return yes('Progressing', 'consumers are being changed')
  return no('UpToDate', 'what runs is what the spec asks for')
}

const isFatal = ({ workload, revision }: Facts): boolean =>
  workload.trouble?.isFatal === true || revision?.rolledBack !== undefined

function stalled(facts: Facts): Verdict {
  const accepted = specAccepted(facts)
  if (accepted.status === 'False') return yes(accepted.reason, accepted.message)
  if (facts.conflict !== undefined) return yes('NameConflict', facts.conflict)
  if (facts.claim !== undefined) return { ...claimed(facts.claim), status: 'True' }
  if (facts.revision?.rolledBack !== undefined) return yes('RevisionRolledBack', rolledBack(facts.revision.rolledBack))
  const { trouble } = facts.workload
  if (trouble?.isFatal === true) return yes(trouble.reason, trouble.message)
  return no('NotStalled', 'nothing waits for somebody')
}

const NAMED_AT_MOST = 10

function firstOf(names: readonly string[]): string {
  const more = names.length - NAMED_AT_MOST
  return names.slice(0, NAMED_AT_MOST).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function missingTopics(lag: NonNullable<Facts['source']['lag']>): readonly string[] {
  return lag.entries.flatMap(({ missing }) => (missing === undefined ? [] : [missing]))
}

const word = (code: string) => wordOr('SinkTrouble', code)
