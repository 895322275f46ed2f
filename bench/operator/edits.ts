import { setTimeout as wait } from 'node:timers/promises'
import type { KubeClient } from '../../operator/kube/client.ts'
import { PIPELINES } from '../../operator/kube/kube.ts'
import { nameOf } from './fleet.ts'
import { markOf, type DeploymentWatch } from './latency.ts'

const EDIT_EVERY_MS = 100
const PATIENCE_MS = 60_000

export interface EditsOptions {
  readonly kube: KubeClient
  readonly watch: DeploymentWatch
  readonly pipelines: number
  readonly edits: number
  readonly tell: (text: string) => void
}

/** Milliseconds from each edit's request until its Deployment was seen changed; throws when one does not change. */
export async function timeEdits(options: EditsOptions): Promise<readonly number[]> {
  const { pipelines, edits, tell } = options
  const given = new AbortController()
  const timed: Promise<number>[] = []
  try {
    for (let edit = 0; edit < edits && !given.signal.aborted; edit++) {
      const one = timeEdit(options, Math.floor((edit * pipelines) / edits), `edit-${edit}`, given.signal)
      one.catch(() => given.abort())
      timed.push(one)
      if ((edit + 1) % 100 === 0) tell(`${edit + 1} of ${edits} edits`)
      await wait(EDIT_EVERY_MS)
    }
    return await Promise.all(timed)
  } finally {
    given.abort()
  }
}

async function timeEdit(
  { kube, watch }: EditsOptions,
  index: number,
  mark: string,
  signal: AbortSignal
): Promise<number> {
  const { namespace, name } = nameOf(index)
  const seen = watch.until(`${namespace}/${name}-consumer`, object => markOf(object) === mark)
  const startedMs = performance.now()
  await kube.mergePatch(PIPELINES, { namespace, name }, { spec: { consumer: { labels: { mark } } } }, { signal })
  const late = new AbortController()
  const end = () => late.abort()
  signal.addEventListener('abort', end, { once: true })
  try {
    const isLate = wait(PATIENCE_MS, true, { signal: late.signal }).catch(() => true)
    if (await Promise.race([seen.then(() => false), isLate])) {
      throw new Error(`${namespace}/${name}: the edit has not come to the Deployment in ${PATIENCE_MS / 1000} s`)
    }
    return performance.now() - startedMs
  } finally {
    signal.removeEventListener('abort', end)
    late.abort()
  }
}
