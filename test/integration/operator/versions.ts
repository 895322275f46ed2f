import assert from 'node:assert/strict'
import { systemClock } from '../../../lib/clock.ts'
import { RetryableError } from '../../../lib/errors.ts'
import { jsonLog } from '../../../lib/log.ts'
import type { GroupView } from '../../../operator/source/group-view.ts'
import { KubeClient } from '../../../operator/kube/client.ts'
import { Operator } from '../../../operator/operator.ts'
import type { Version } from '../../../operator/plan.ts'
import { aLag } from '../../operator/given.ts'
import type { KubeAddresses } from '../../servers/kube.ts'
import { makeHome, type OperatorHome } from './running.ts'

/** What the operators of a home see of Kafka; a test may change it. */
export interface Brokers {
  partitions: number
  group: GroupView | undefined
  isAway: boolean
}

/** A namespace in which operators of several versions work, one after the other. */
export interface VersionsHome extends OperatorHome {
  readonly brokers: Brokers
  readonly lines: readonly string[]
  /** Ends the one that works, if any, and starts another. */
  readonly upgrade: (image: string, version?: Version) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Brokers are those of `brokers`; nothing is sent to any. */
export async function versionsHome(kube: KubeAddresses, namespace: string): Promise<VersionsHome> {
  const home = await makeHome(kube, namespace)
  const brokers: Brokers = { partitions: 2, group: undefined, isAway: false }
  const lines: string[] = []
  let stopOne = async (): Promise<void> => undefined
  const sample = () => {
    const trouble = new RetryableError('SourceUnreachable', 'no broker answers')
    if (brokers.isAway) return Promise.reject(trouble)
    const lag = aLag({ partitions: brokers.partitions, atMs: Date.now() })
    return Promise.resolve({ lag, offsets: [], group: brokers.group, trouble: undefined })
  }
  const upgrade = async (image: string, version: Version = {}) => {
    await stopOne()
    const client = new KubeClient(home.access, systemClock)
    const operator = new Operator({
      kube: client,
      clock: systemClock,
      log: jsonLog(line => lines.push(line), 'info', Date.now),
      namespaces: [namespace],
      consumerImage: image,
      namespace,
      identity: image,
      // The test brings its own.
      upgradesDefinition: false,
      sampleIntervalMs: 500,
      secretsIntervalMs: 500,
      figuresIntervalMs: 500,
      openSampler: () => ({ sample, close: () => undefined }),
      version: { stableAfterMs: 1000, ...version }
    })
    const stopping = new AbortController()
    const running = operator.run(stopping.signal)
    stopOne = async () => {
      stopping.abort()
      assert.equal(await running, 'stopped')
      client.close()
      stopOne = async () => undefined
    }
  }
  return { ...home, brokers, lines, upgrade, stop: () => stopOne() }
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
  readonly status: { readonly containerStatuses?: readonly { readonly ready: boolean }[] }
}

/** Says of pods, as a kubelet would, how they are: those of an image that begins with `bad` end with exit code 78. */
export async function sayHowPodsAre({ api, namespace }: OperatorHome): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const { items } = (await api.call('GET', path)).body as { items: readonly Pod[] }
  for (const { metadata, spec, status } of items) {
    if (metadata.deletionTimestamp !== undefined || status.containerStatuses !== undefined) continue
    const said = { status: spec.containers[0]?.image.startsWith('bad') === true ? ended() : ready() }
    // It may just have been deleted: then the answer is no.
    await api.call('PATCH', `${path}/${metadata.name}/status`, said, 'application/merge-patch+json')
  }
}

const statusOf = (isReady: boolean, state: object) => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: new Date().toISOString() }],
  containerStatuses: [{ name: 'consumer', ready: isReady, restartCount: 0, image: 'x', imageID: '', ...state }]
})

const ready = () => statusOf(true, { state: { running: { startedAt: new Date().toISOString() } } })

const ended = () =>
  statusOf(false, {
    state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
    lastState: {
      terminated: { exitCode: 78, reason: 'Error', message: '{"reason":"InvalidPipeline","message":"it cannot be"}' }
    }
  })
