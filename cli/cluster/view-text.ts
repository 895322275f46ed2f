import type { Condition, TopicStatus } from '../../crds/pipeline.ts'
import { shortCount, shortSeconds, UNKNOWN } from '../../lib/figures.ts'
import { oneLine } from '../one-line.ts'
import { clip, columns } from '../table.ts'
import { planLines } from './planned-text.ts'
import type { PipelineView, PodView, WarningView } from './view.ts'

/** For people: one screen per pipeline, lines of at most `width` characters. */
export function viewText(views: readonly PipelineView[], width = Infinity): string {
  const blocks = views.map(view => blocksOf(view).map(lines => lines.map(line => `${clip(line, width)}\n`).join('')))
  return blocks.map(parts => parts.join('\n')).join('\n\n')
}

/** Parts with a line between them. */
function blocksOf(view: PipelineView): readonly (readonly string[])[] {
  const { atMs, pipeline, troubles, pods, warnings } = view
  const { topics = [], topicsOmitted = 0, plan } = pipeline.status ?? {}
  const omitted = topicsOmitted === 0 ? [] : [`and ${topicsOmitted} more`]
  return [
    [headline(view), ...(view.outdated === undefined ? [] : [view.outdated])],
    table(
      ['CONDITION', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'],
      troubles.map(condition => conditionRow(condition, atMs))
    ),
    pods === undefined
      ? ['pods: not shown, you may not list them']
      : table(
          ['POD', 'READY', 'PARTS', 'RESTARTS', 'AGE', 'STATE'],
          pods.map(pod => podRow(pod, atMs))
        ),
    [
      ...table(
        ['TOPIC', 'TABLE', 'PARTS', 'LAG', 'BEHIND', 'DLQ', 'COMMIT'],
        topics.map(topic => topicRow(topic, atMs))
      ),
      ...omitted
    ],
    workload(view),
    table(
      ['WARNING', 'SEEN', 'MESSAGE'],
      (warnings ?? []).map(warning => warningRow(warning, atMs))
    ),
    plan === undefined ? [] : ['the operator would (mode Plan):', ...planLines(plan)]
  ].filter(lines => lines.length > 0)
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0 ? [] : columns([header, ...rows])

/** `lake/shop   Ready=False OutOfMemory   delta   2 topics   3/4 pods   lag 48k   behind 3s   9d` */
function headline({ pipeline, ready, atMs }: PipelineView): string {
  const { namespace = '', name, creationTimestamp } = pipeline.metadata
  const {
    topics = UNKNOWN,
    sink,
    pods = UNKNOWN,
    lag = UNKNOWN,
    behind = UNKNOWN,
    deadLetters
  } = pipeline.status?.summary ?? {}
  const state =
    ready === undefined
      ? `Ready=${UNKNOWN}`
      : `Ready=${ready.status}${ready.status === 'True' ? '' : ` ${ready.reason}`}`
  return [
    `${namespace}/${name}`,
    state,
    sink ?? Object.keys(pipeline.spec.sink)[0] ?? UNKNOWN,
    `${topics} topic${topics === '1' ? '' : 's'}`,
    `${pods} pods`,
    `lag ${lag}`,
    `behind ${behind}`,
    ...(deadLetters === undefined || deadLetters === '0' ? [] : [`${deadLetters} dead letters`]),
    since(creationTimestamp, atMs)
  ].join('   ')
}

const conditionRow = ({ type, status, reason, message, lastTransitionTime }: Condition, atMs: number) => [
  type,
  status,
  reason,
  since(lastTransitionTime, atMs),
  oneLine(message)
]

function podRow({ name, ready, partitions, restarts, startedMs, state, lastEnd }: PodView, atMs: number) {
  const ended =
    lastEnd &&
    `ended${lastEnd.atMs === undefined ? '' : ` ${ago(lastEnd.atMs, atMs)}`}: ${lastEnd.reason} (exit code ${lastEnd.exitCode})`
  return [
    name,
    ready ? 'yes' : 'no',
    shortCount(partitions),
    String(restarts),
    startedMs === undefined ? UNKNOWN : shortSeconds((atMs - startedMs) / 1000),
    [state, ...(ended === undefined ? [] : [ended, ...lastWords(lastEnd?.message ?? '')])].join(', ')
  ]
}

/** Consumers leave JSON, `{reason, message}`; other programs a text. */
function lastWords(message: string): readonly string[] {
  try {
    const said = JSON.parse(message) as { message?: unknown }
    if (typeof said.message === 'string') return [oneLine(said.message)]
  } catch {
    // A text.
  }
  return message.trim() === '' ? [] : [oneLine(message)]
}

const topicRow = (
  { name, table = '', partitions, lag, behind, deadLetters, lastCommitTime }: TopicStatus,
  atMs: number
) => [
  name,
  table,
  shortCount(partitions),
  shortCount(lag),
  behind ?? UNKNOWN,
  shortCount(deadLetters),
  lastCommitTime === undefined ? UNKNOWN : `${since(lastCommitTime, atMs)} ago`
]

const warningRow = ({ reason, message, count, lastMs }: WarningView, atMs: number) => [
  reason,
  `${ago(lastMs, atMs)}${count > 1 ? ` (x${count})` : ''}`,
  oneLine(message)
]

function workload({ scaling, wanted, rollout, pods, pipeline, atMs }: PipelineView): readonly string[] {
  const count = wanted === undefined ? '' : `${wanted} consumer${wanted === 1 ? '' : 's'} `
  const { revision = 'none', updatedPods = 0, isDone = true } = rollout ?? {}
  const total = pods?.length ?? 0
  const { rolledBack, name: current = UNKNOWN } = pipeline.status?.revision ?? {}
  const { name: given = UNKNOWN, time, reason = UNKNOWN, message = '' } = rolledBack ?? {}
  return [
    ...(scaling === undefined ? [] : [`scaling    ${count}(${scaling.reason}): ${oneLine(scaling.message)}`]),
    ...(isDone
      ? []
      : [`rollout    ${updatedPods} of ${total} pods have the configuration that is asked for, ${revision}`]),
    ...(rolledBack === undefined
      ? []
      : [`rollback   ${since(time, atMs)} ago to ${current}; not ready with ${given}: ${reason}: ${oneLine(message)}`])
  ]
}

const since = (time: string | undefined, atMs: number): string =>
  time === undefined ? UNKNOWN : shortSeconds((atMs - Date.parse(time)) / 1000)
const ago = (ms: number, atMs: number): string => `${shortSeconds((atMs - ms) / 1000)} ago`
