import { once } from 'node:events'
import { systemClock } from '../lib/clock.ts'
import { parseDurationMs } from '../lib/duration.ts'
import type { KubeError } from '../operator/kube/kube.ts'
import { CLUSTER_HELP, CLUSTER_OPTIONS, withCluster, type Cluster } from './cluster/cluster.ts'
import { isAtLeast, lineJson, lineText, type LogLine } from './cluster/log-line.ts'
import { podsOf } from './cluster/look.ts'
import { pipelineNamed } from './cluster/pipelines.ts'
import { followLogs, mergedLines, podLines, type LogChoice } from './cluster/pod-logs.ts'
import {
  EXIT_OK,
  EXIT_PROBLEMS,
  UsageError,
  oneOf,
  parseOptions,
  wholeNumber,
  type Command,
  type Io
} from './command.ts'
import { untilStopped } from './until-stopped.ts'

const DEFAULT_TAIL = 100

export const logs: Command = {
  name: 'logs',
  summary: "show the consumers' logs of a pipeline in a cluster",
  help: `Shows what the consumers of a pipeline in a cluster have logged, of all pods in the order of time, and follows pods that come and go.

Usage: bronze logs NAME [options]

${CLUSTER_HELP}
  -f, --follow          go on with what is logged from now on, until Ctrl-C
      --since TIME      what was logged in the last 10m, 2h
      --tail N          at most so many lines of each pod; 100 when neither it nor --since is given
      --pod POD         only this pod; may be given several times
      --previous        of the containers before the last restart
      --level LEVEL     nothing less than debug, info, warn or error; lines that are not ours are always shown
  -o, --output FORMAT   'text' or 'json' (lines as they were written, with a field pod)

Exit codes: 0 done · 1 a log could not be read, or the cluster does not answer · 2 wrong usage · 78 refused, or not there
`,
  run: runLogs
}

interface LogsOptions {
  readonly name: string
  readonly follow: boolean
  readonly choice: LogChoice
  readonly pods: readonly string[]
  readonly show: (line: LogLine) => string | undefined
}

async function runLogs(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    ...CLUSTER_OPTIONS,
    follow: { type: 'boolean', short: 'f', default: false },
    since: { type: 'string' },
    tail: { type: 'string' },
    pod: { type: 'string', multiple: true, default: [] },
    previous: { type: 'boolean', default: false },
    level: { type: 'string' },
    output: { type: 'string', short: 'o' }
  })
  const [name, more] = positionals
  if (name === undefined || more !== undefined) throw new UsageError('name one pipeline')
  if (values.follow && values.previous) throw new UsageError('--previous has ended: leave out --follow')
  const output = oneOf('output', values.output, ['text', 'json'])
  const level = oneOf('level', values.level, ['debug', 'info', 'warn', 'error'])
  const sinceMs = values.since === undefined ? undefined : parseDurationMs(values.since)
  if (values.since !== undefined && sinceMs === undefined) {
    throw new UsageError(`--since takes how long ago (90s, 10m, 2h), not '${values.since}'`)
  }
  const tail = wholeNumber('tail', values.tail, 0)
  const choice: LogChoice = {
    sinceSeconds: sinceMs === undefined ? undefined : Math.max(1, Math.ceil(sinceMs / 1000)),
    tailLines: tail ?? (sinceMs === undefined ? DEFAULT_TAIL : undefined),
    previous: values.previous
  }
  const show = (line: LogLine) => {
    if (!isAtLeast(line, level)) return undefined
    return output === 'json' ? lineJson(line) : lineText(line, shortName(line.pod, name))
  }
  const options = { name, follow: values.follow, choice, pods: values.pod, show }
  return await withCluster(values, async cluster => {
    await pipelineNamed(cluster, name)
    return values.follow ? await follow(cluster, options, io) : await showAll(cluster, options, io)
  })
}

/** What tells the pods of a pipeline apart: `2xkqp`, or `0` of a StatefulSet. */
function shortName(pod: string, pipeline: string): string {
  return pod.startsWith(pipeline) ? (pod.split('-').at(-1) ?? pod) : pod
}

async function chosenPods(cluster: Cluster, { name, pods }: LogsOptions): Promise<readonly string[]> {
  const there = (await podsOf(cluster, cluster.namespace, name)).map(({ metadata }) => metadata.name)
  const matches = (pod: string) =>
    pods.length === 0 || pods.some(wanted => pod === wanted || pod.endsWith(`-${wanted}`))
  return there.filter(matches)
}

async function showAll(cluster: Cluster, options: LogsOptions, io: Io): Promise<number> {
  const { stdout, stderr } = io
  return await untilStopped(io, async ({ signal, exitCode }) => {
    const pods = await chosenPods(cluster, options)
    if (pods.length === 0) {
      const what = options.pods.length === 0 ? 'has no pods now: is it suspended? See bronze status' : 'has no such pod'
      stderr.write(`bronze: ${cluster.namespace}/${options.name} ${what}\n`)
      return EXIT_PROBLEMS
    }
    const sources = pods.map(pod => ({
      pod,
      lines: podLines(cluster, cluster.namespace, pod, options.choice, signal)
    }))
    let troubles = 0
    const onTrouble = (pod: string, error: KubeError) => {
      if (signal.aborted) return
      stderr.write(`bronze: ${pod}: ${error.message}\n`)
      troubles++
    }
    for await (const line of mergedLines(sources, onTrouble)) {
      if (signal.aborted) break
      const text = options.show(line)
      if (text !== undefined && !stdout.write(`${text}\n`)) await once(stdout, 'drain', { signal }).catch(() => {})
    }
    return exitCode() ?? (troubles > 0 ? EXIT_PROBLEMS : EXIT_OK)
  })
}

async function follow(cluster: Cluster, options: LogsOptions, io: Io): Promise<number> {
  const { stdout, stderr } = io
  return await untilStopped(io, async ({ signal }) => {
    await followLogs(
      {
        cluster,
        namespace: cluster.namespace,
        choice: options.choice,
        clock: systemClock,
        pods: () => chosenPods(cluster, options),
        onLine: line => {
          const text = options.show(line)
          if (text !== undefined) stdout.write(`${text}\n`)
        },
        onPod: (pod, what) => stderr.write(`bronze: ${pod} ${what}\n`)
      },
      signal
    )
    return EXIT_OK
  })
}
