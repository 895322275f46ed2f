import type { Clock } from '../../lib/clock.ts'
import { KubeError } from '../../operator/kube/kube.ts'
import type { Cluster } from './cluster.ts'
import { sortKey, timedLine, type LogLine } from './log-line.ts'

export interface LogChoice {
  readonly sinceSeconds: number | undefined
  /** Per pod. */
  readonly tailLines: number | undefined
  readonly previous: boolean
}

const CONTAINER = 'consumer'
const LOOK_FOR_PODS_MS = 2000

/** The lines that a pod has logged, as the API server gives them. Throws KubeError. */
export async function* podLines(
  { kube }: Cluster,
  namespace: string,
  pod: string,
  { sinceSeconds, tailLines, previous }: LogChoice,
  signal: AbortSignal,
  container = CONTAINER
): AsyncIterable<LogLine> {
  const options = {
    container,
    timestamps: true,
    previous,
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(tailLines === undefined ? {} : { tailLines })
  }
  for await (const line of kube.podLog(namespace, pod, options, signal)) yield timedLine(pod, line)
}

/** Lines of several pods in the order of their times, one of each held. A pod without a log is told, and left out. */
export async function* mergedLines(
  sources: readonly { readonly pod: string; readonly lines: AsyncIterable<LogLine> }[],
  onTrouble: (pod: string, error: KubeError) => void
): AsyncIterable<LogLine> {
  const heads = await Promise.all(
    sources.map(async ({ pod, lines }) => {
      const iterator = lines[Symbol.asyncIterator]()
      const next = async () => {
        try {
          const { done, value } = await iterator.next()
          return done === true ? undefined : value
        } catch (error) {
          if (!(error instanceof KubeError) || isRefusal(error)) throw error
          onTrouble(pod, error)
          return undefined
        }
      }
      return { next, head: await next() }
    })
  )
  for (;;) {
    const waiting = heads.filter(({ head }) => head !== undefined)
    const [first, ...others] = waiting
    if (first === undefined) return
    const earliest = others.reduce(
      (best, each) => (best.head && each.head && sortKey(each.head) < sortKey(best.head) ? each : best),
      first
    )
    if (earliest.head !== undefined) yield earliest.head
    earliest.head = await earliest.next()
  }
}

export interface Following {
  readonly cluster: Cluster
  readonly namespace: string
  readonly choice: LogChoice
  readonly clock: Clock
  /** Pods that may have something to say now. */
  readonly pods: () => Promise<readonly string[]>
  readonly onLine: (line: LogLine) => void
  /** A pod is followed from now on, or no longer. */
  readonly onPod: (pod: string, what: 'follows' | 'is gone') => void
}

/** Follows the logs of pods that come, restart and go, until the signal aborts. Throws KubeError. */
export async function followLogs(following: Following, signal: AbortSignal): Promise<void> {
  const { clock, pods, onPod } = following
  const running = new Map<string, Promise<void>>()
  /** The time of the last line told of each pod. */
  const told = new Map<string, string>()
  const known = new Set<string>()
  let old: ReadonlySet<string> | undefined
  let failure: KubeError | undefined
  while (!signal.aborted && failure === undefined) {
    const names = await pods().catch((error: unknown) => {
      if (old !== undefined && error instanceof KubeError && isPassing(error)) return [...known]
      throw error
    })
    old ??= new Set(names)
    for (const pod of names) {
      if (running.has(pod)) continue
      if (!old.has(pod) && !known.has(pod)) onPod(pod, 'follows')
      known.add(pod)
      const done = followOne(following, pod, { told, isNew: !old.has(pod) }, signal)
        .catch((error: unknown) => {
          // A pod that has not started yet has no log; one that is gone neither. A broken connection is made anew.
          if (!(error instanceof KubeError)) throw error
          if (isRefusal(error)) failure = error
        })
        .finally(() => running.delete(pod))
      running.set(pod, done)
    }
    for (const pod of [...known].filter(pod => !names.includes(pod) && !running.has(pod))) {
      known.delete(pod)
      told.delete(pod)
      onPod(pod, 'is gone')
    }
    await clock.sleep(LOOK_FOR_PODS_MS, signal)
  }
  await Promise.all(running.values())
  if (failure !== undefined) throw failure
}

async function followOne(
  { cluster, namespace, choice, onLine }: Following,
  pod: string,
  { told, isNew }: { readonly told: Map<string, string>; readonly isNew: boolean },
  signal: AbortSignal
): Promise<void> {
  const after = told.get(pod)
  // What came while nobody listened is told too; a new pod from its beginning.
  const from = after === undefined ? (isNew ? {} : fromChoice(choice)) : { sinceTime: after.replace(/\.\d+/, '') }
  const options = { container: CONTAINER, timestamps: true, follow: true, ...from }
  for await (const text of cluster.kube.podLog(namespace, pod, options, signal)) {
    const line = timedLine(pod, text)
    if (after !== undefined && line.time !== '' && sortKey(line) <= sortKey({ pod, text: '', time: after })) continue
    if (line.time !== '') told.set(pod, line.time)
    onLine(line)
  }
}

const isRefusal = ({ status }: KubeError) => status === 401 || status === 403
const isPassing = ({ status }: KubeError) => status === 0 || status === 429 || status >= 500

const fromChoice = ({ sinceSeconds, tailLines }: LogChoice) => ({
  ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
  ...(tailLines === undefined ? {} : { tailLines })
})
